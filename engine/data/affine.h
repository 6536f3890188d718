// Turning, shearing and moving a picture, bit for bit as Pillow's Image.transform and Image.rotate.
#pragma once

#include <array>

#include "engine/data/color_ops.h"
#include "engine/data/resize.h"

namespace bramble::engine {

struct AffineOptions {
  Interpolation interpolation = Interpolation::bilinear;
  std::array<std::uint8_t, 3> fill = {};  ///< where the picture does not reach
};

/// The result's pixel (x, y) is what lies at (m[0] x + m[1] y + m[2], m[3] x + m[4] y + m[5]), between pixels' centres.
void transform(Pixels pixels, const std::array<double, 6>& m, const AffineOptions& options,
               std::vector<std::uint8_t>& scratch);

/// Anticlockwise about the centre.
void rotate(Pixels pixels, double degrees, const AffineOptions& options, std::vector<std::uint8_t>& scratch);

}  // namespace bramble::engine
