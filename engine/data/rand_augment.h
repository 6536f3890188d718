// RandAugment as timm's `rand-m9-mstd0.5-inc1` defines it (timm/data/auto_augment.py).
#pragma once

#include <array>
#include <string_view>

#include "engine/data/affine.h"
#include "engine/data/random.h"

namespace bramble::engine {

/// timm's `_RAND_INCREASING_TRANSFORMS`, in its order.
enum class RandOp {
  auto_contrast, equalize, invert, rotate, posterize_increasing, solarize_increasing, solarize_add, color_increasing,
  contrast_increasing, brightness_increasing, sharpness_increasing, shear_x, shear_y, translate_x_rel, translate_y_rel
};
constexpr std::size_t kRandOps = 15;

/// What an op is given at a magnitude in [0, 10]: degrees, bits, a threshold, a factor, a share of the side. `negative`
/// is the sign that is drawn, of the ops that have one.
double rand_argument(RandOp op, double magnitude, bool negative);

void apply(RandOp op, double argument, Pixels pixels, const AffineOptions& options, std::vector<std::uint8_t>& scratch);

/// Two ops of the fifteen, drawn with replacement; each is done with probability 0.5, at a magnitude from a normal
/// distribution of mean 9 and deviation 0.5, held to [0, 10].
void rand_augment(Pixels pixels, const AffineOptions& options, DataRandom& random, std::vector<std::uint8_t>& scratch);

}  // namespace bramble::engine
