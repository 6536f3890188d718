// Arithmetic that the passes share.
#pragma once

#include <algorithm>

#include "kernels/winograd_conv2d/winograd_conv2d.h"

namespace bramble::kernels {

constexpr std::int64_t winograd_ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Even blocks no longer than `block` (a multiple of `multiple`), so that the last is not a sliver.
constexpr std::int64_t winograd_even_block(std::int64_t total, std::int64_t block, std::int64_t multiple) {
  if (total <= block) return std::max<std::int64_t>(total, 1);
  return round_up(winograd_ceil_div(total, winograd_ceil_div(total, block)), multiple);
}

constexpr std::int64_t winograd_side(WinogradTile tile) { return static_cast<std::int64_t>(tile) + 2; }
constexpr int winograd_pairs(WinogradTile tile) { return static_cast<int>(winograd_side(tile)) / 2; }

/// The row of points that is a pair's first (0) or second (1), as Winograd<>::kRows pairs them: (0, last), (1, 2),
/// (3, 4).
constexpr std::int64_t winograd_row(WinogradTile tile, int pair, int which) {
  if (pair == 0) return which == 0 ? 0 : winograd_side(tile) - 1;
  return 2 * pair - 1 + which;
}

struct WinogradImage {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
};

/// An image cut for tiles of out_height x out_width outputs.
constexpr WinogradTiles winograd_tiles(WinogradTile tile, const WinogradImage& image, std::int64_t out_height,
                                       std::int64_t out_width, std::int64_t first) {
  const auto step = static_cast<std::int64_t>(tile);
  return {image.height,
          image.width,
          image.channels,
          winograd_ceil_div(out_height, step),
          winograd_ceil_div(out_width, step),
          step,
          first};
}

}  // namespace bramble::kernels
