#include "engine/data/affine.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace bramble::engine {
namespace {

/// Between the middle two of four values, in Pillow's order of operations.
double cubic(const std::array<double, 4>& v, double d) {
  const double p2 = -v[0] + v[2];
  const double p3 = 2 * (v[0] - v[1]) + v[2] - v[3];
  const double p4 = -v[0] + v[1] - v[2] + v[3];
  return v[1] + d * (p2 + d * (p3 + d * p4));
}

double linear(const std::array<double, 4>& v, double d) { return v[1] + (v[2] - v[1]) * d; }

/// The four pixels about a place along one axis, the outermost repeated at the border.
struct Taps {
  std::array<std::ptrdiff_t, 4> offsets;
  double part;  ///< of the way from the second to the third

  Taps(double place, int extent, std::ptrdiff_t stride) {
    const double from_centres = place - 0.5;
    const int first = static_cast<int>(std::floor(from_centres));
    part = from_centres - first;
    for (int i = 0; i < 4; ++i)
      offsets[static_cast<std::size_t>(i)] = std::clamp(first - 1 + i, 0, extent - 1) * stride;
  }
};

template <class Interpolate>
double at(const std::uint8_t* channel, const Taps& across, const Taps& down, Interpolate&& interpolate) {
  std::array<double, 4> rows{};
  for (std::size_t r = 0; r < 4; ++r) {
    const std::uint8_t* row = channel + down.offsets[r];
    std::array<double, 4> values{};
    for (std::size_t c = 0; c < 4; ++c) values[c] = row[across.offsets[c]];
    rows[r] = interpolate(values, across.part);
  }
  return interpolate(rows, down.part);
}

}  // namespace

void transform(Pixels pixels, const std::array<double, 6>& m, const AffineOptions& options,
               std::vector<std::uint8_t>& scratch) {
  scratch.assign(pixels.rgb.begin(), pixels.rgb.end());
  const auto interpolate = options.interpolation == Interpolation::bicubic ? cubic : linear;
  std::uint8_t* out = pixels.rgb.data();
  for (int row = 0; row < pixels.height; ++row) {
    for (int column = 0; column < pixels.width; ++column, out += 3) {
      const double x = m[0] * (column + 0.5) + m[1] * (row + 0.5) + m[2];
      const double y = m[3] * (column + 0.5) + m[4] * (row + 0.5) + m[5];
      if (x < 0 || x >= pixels.width || y < 0 || y >= pixels.height) {
        std::ranges::copy(options.fill, out);
        continue;
      }
      const Taps across(x, pixels.width, 3);
      const Taps down(y, pixels.height, std::ptrdiff_t{pixels.width} * 3);
      for (std::size_t channel = 0; channel < 3; ++channel)
        out[channel] = static_cast<std::uint8_t>(
            std::clamp(at(scratch.data() + channel, across, down, interpolate), 0.0, 255.0));
    }
  }
}

void rotate(Pixels pixels, double degrees, const AffineOptions& options, std::vector<std::uint8_t>& scratch) {
  const double turned = std::fmod(std::fmod(degrees, 360) + 360, 360);
  if (turned == 0) return;
  const double angle = -turned * std::numbers::pi / 180;
  const auto rounded = [](double value) { return std::round(value * 1e15) / 1e15; };
  const double cosine = rounded(std::cos(angle)), sine = rounded(std::sin(angle));
  const double x = pixels.width / 2.0, y = pixels.height / 2.0;
  transform(pixels, {cosine, sine, cosine * -x + sine * -y + x, -sine, cosine, -sine * -x + cosine * -y + y}, options,
            scratch);
}

}  // namespace bramble::engine
