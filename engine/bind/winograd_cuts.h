// What the binds of Winograd's passes share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "kernels/winograd_conv2d/winograd_conv2d.h"

namespace bramble::engine {

/// A ReLU's kink turns the forward's errors into wrong signs of what its gradient passes, so a forward that has a
/// backward takes the tile that errs no more than direct summation; gradients bear the larger one's, and so does a
/// frozen forward.
inline constexpr kernels::WinogradTile kWinogradForwardTile = kernels::WinogradTile::two;
inline constexpr kernels::WinogradTile kWinogradFrozenTile = kernels::WinogradTile::four;
inline constexpr kernels::WinogradTile kWinogradGradientTile = kernels::WinogradTile::four;

/// Below 16 channels the transforms cost more than the multiplications that they save.
constexpr bool has_winograd_channels(const kernels::Conv2dShape& shape) {
  return kernels::winograd_supports(shape) && std::min(shape.in_channels, shape.out_channels) >= 16;
}

namespace winograd {

inline float* floats(std::byte* scratch) { return reinterpret_cast<float*>(scratch); }

constexpr std::size_t bytes(std::int64_t float_count) { return static_cast<std::size_t>(float_count) * sizeof(float); }

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// [0, extent) in at most `count` ranges that begin at multiples of `unit`, their lengths differing by one unit.
inline std::vector<kernels::WinogradRange> cut_range(std::int64_t extent, std::int64_t count, std::int64_t unit) {
  const std::int64_t units = ceil_div(extent, unit);
  count = std::min(count, units);
  std::vector<kernels::WinogradRange> ranges;
  for (std::int64_t i = 0; i < count; ++i) {
    ranges.push_back({units * i / count * unit, std::min(extent, units * (i + 1) / count * unit)});
  }
  return ranges;
}

}  // namespace winograd
}  // namespace bramble::engine
