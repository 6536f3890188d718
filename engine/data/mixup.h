// Mixup as timm defines it (timm/data/mixup.py, mode "batch"): each picture blended with the batch's reversed.
#pragma once

#include <cstdint>
#include <span>

#include "engine/data/random.h"

namespace bramble::engine {

/// From Beta(alpha, alpha), the larger of it and its complement: a batch mixed with either holds the same pictures, and
/// this way the larger share is the picture's in whose place it lies. alpha > 0.
float mixup_share(double alpha, DataRandom& random);

/// images[i] = share * images[i] + (1 - share) * images[last - i], and the same of the labels: other_labels[i] is
/// labels[last - i], shares[i] is `share`. `images` is [labels.size()][...].
void mix_with_reversed(float share, std::span<float> images, std::span<const std::int32_t> labels,
                       std::span<std::int32_t> other_labels, std::span<float> shares);

}  // namespace bramble::engine
