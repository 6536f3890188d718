// Tiles of an image, transformed and packed as the operands of the points' products.
#pragma once

#include "kernels/winograd_conv2d/winograd_conv2d.h"

namespace bramble::kernels {

/// Transforms make two rows of points at a time: rows of B^T d (or A dY) by pair, as in Winograd<>::kRows. Where a
/// point's panels begin: column x of the pair's first row at first_row + x * point, of the second at second_row + x *
/// point.
struct WinogradPointStrides {
  std::int64_t first_row = 0;
  std::int64_t second_row = 0;
  std::int64_t point = 0;
};

/// B^T d B as A panels: rows are tiles, the depth is channels.
void winograd_pack_input_f32(WinogradTile tile, int pair, const WinogradTiles& tiles, const float* x,
                             const WinogradBlock& block, float* panels, const WinogradPointStrides& strides);

/// Where a block's tiles lie in panels whose depth is tiles: from row `first` on of panels that are `depth` deep.
struct WinogradDepth {
  std::int64_t depth = 0;
  std::int64_t first = 0;
};

/// B^T d B as A panels: rows are channels, the depth is tiles.
void winograd_pack_input_trans_f32(WinogradTile tile, int pair, const WinogradTiles& tiles, const float* x,
                                   const WinogradBlock& block, const WinogradDepth& depth, float* panels,
                                   const WinogradPointStrides& strides);

/// A dY A^T as B panels: the depth is tiles, columns are channels.
void winograd_pack_gradient_f32(WinogradTile tile, int pair, const WinogradTiles& tiles, const float* dy,
                                const WinogradBlock& block, const WinogradDepth& depth, float* panels,
                                const WinogradPointStrides& strides);

}  // namespace bramble::kernels
