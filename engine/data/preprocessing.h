// How a picture becomes a model's input.
#pragma once

#include <array>

#include "engine/data/resize.h"

namespace bramble::engine {

/// The defaults are the benchmark's.
struct Preprocessing {
  std::array<double, 3> mean = {0.485, 0.456, 0.406};  ///< of red, green, blue in [0, 1]: ImageNet's
  std::array<double, 3> deviation = {0.229, 0.224, 0.225};
  /// Where a picture is not cropped at random: its short side becomes floor(size / crop_pct), and the centre is taken.
  double crop_pct = 1;
  Interpolation interpolation = Interpolation::bilinear;
};

}  // namespace bramble::engine
