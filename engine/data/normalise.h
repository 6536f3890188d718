// torchvision's ToTensor and Normalize with ImageNet's statistics.
#pragma once

#include <cstdint>
#include <span>

namespace bramble::engine {

/// values[i] = (rgb[i] / 255 - mean[i % 3]) / deviation[i % 3], in float as torchvision computes it.
void normalise(std::span<const std::uint8_t> rgb, std::span<float> values);

}  // namespace bramble::engine
