// By weight: the blocks' loops.
#include <algorithm>

#include "kernels/winograd_conv2d/winograd_blocks.h"
#include "kernels/winograd_conv2d/winograd_conv2d.h"
#include "kernels/winograd_conv2d/winograd_tiles.h"
#include "kernels/winograd_conv2d/winograd_weight.h"

namespace bramble::kernels {

WinogradGradient winograd_conv2d_bwd_weight(const Conv2dShape& s, WinogradTile tile) {
  WinogradGradient gradient;
  gradient.tile = tile;
  gradient.x =
      winograd_tiles(tile, {s.in_height, s.in_width, s.in_channels}, s.out_height(), s.out_width(), -s.padding);
  gradient.dy = winograd_tiles(tile, {s.out_height(), s.out_width(), s.out_channels}, s.out_height(), s.out_width(), 0);
  gradient.tiles = s.batch * gradient.dy.tiles_y * gradient.dy.tiles_x;
  // A block's sums [36][32][72] take 332 KiB of L2, two rows of points of 40 tiles of x and dy 60 and 135 KiB more.
  gradient.depth_step = winograd_even_block(gradient.tiles, 256, 8);
  gradient.tile_step = tile == WinogradTile::two ? 64 : 40;
  gradient.row_step = tile == WinogradTile::two ? 64 : 32;
  gradient.col_step = 72;
  return gradient;
}

std::int64_t winograd_conv2d_bwd_weight_scratch(const WinogradGradient& g) {
  return g.points() * winograd_point_stride(g.row_step * g.col_step) +
         2 * winograd_side(g.tile) *
             (winograd_point_stride(g.tile_step * g.row_step) + winograd_point_stride(g.tile_step * g.col_step));
}

namespace {

// dw's `rows` x `width` elements from (row, col) on, of one panel, from their points' sums.
void finish_panel(const WinogradGradient& g, const float* sums, std::int64_t sum_stride, std::int64_t row,
                  std::int64_t rows, std::int64_t col, std::int64_t width, const GradientPanels& dw) {
  const std::int64_t tap_rows = dw.rows_of(g.x.channels);
  winograd_weight_gradient_f32(g.tile, sums, sum_stride, rows * width,
                               dw.data + (col - dw.first_col) * 9 * tap_rows + (row - dw.first_row) * width,
                               tap_rows * width);
}

// dw's block, one panel of columns after the other.
void finish_block(const WinogradGradient& g, const float* sums, std::int64_t sum_stride, const WinogradBlock& rows,
                  const WinogradBlock& cols, const GradientPanels& dw) {
  const std::int64_t sum_rows = round_up(rows.channels(), kGemmTileRows), sum_cols = round_up(cols.channels(), 4);
  for (std::int64_t j = 0; j < sum_cols; j += kGemmTileCols) {
    const std::int64_t width = std::min(kGemmTileCols, sum_cols - j);
    finish_panel(g, sums + j * sum_rows, sum_stride, rows.channel_begin, rows.channels(), cols.channel_begin + j, width,
                 dw);
  }
}

// The sums of one block of dw over all tiles, in scratch.
void sum_block(const WinogradGradient& g, const float* x, const float* dy, const WinogradRange& tiles,
               WinogradBlock rows, WinogradBlock cols, std::int64_t sum_stride, float* scratch) {
  const std::int64_t side = winograd_side(g.tile);
  const std::int64_t tile_step = winograd_even_block(tiles.size(), g.tile_step, 1);
  float* inputs = scratch + g.points() * winograd_point_stride(g.row_step * g.col_step);
  float* gradients = inputs + 2 * side * winograd_point_stride(g.tile_step * g.row_step);
  GemmBlock gemm;
  gemm.rows = round_up(rows.channels(), kGemmTileRows);
  gemm.cols = round_up(cols.channels(), 4);
  gemm.c.panel_depth = gemm.rows;
  gemm.c.cached = true;
  for (std::int64_t first = tiles.begin; first < tiles.end; first += tile_step) {
    rows.tile_begin = cols.tile_begin = first;
    rows.tile_end = cols.tile_end = std::min(first + tile_step, tiles.end);
    gemm.depth = gemm.b_depth = rows.tiles();
    gemm.accumulate = first > tiles.begin;
    const std::int64_t input_stride = winograd_point_stride(gemm.rows * gemm.depth);
    const std::int64_t gradient_stride = winograd_point_stride(gemm.cols * gemm.depth);
    for (int pair = 0; pair < winograd_pairs(g.tile); ++pair) {
      winograd_pack_input_trans_f32(g.tile, pair, g.x, x, rows, {gemm.depth, 0}, inputs,
                                    {0, side * input_stride, input_stride});
      winograd_pack_gradient_f32(g.tile, pair, g.dy, dy, cols, {gemm.depth, 0}, gradients,
                                 {0, side * gradient_stride, gradient_stride});
      for (std::int64_t p = 0; p < 2 * side; ++p) {
        gemm.a = inputs + p * input_stride;
        gemm.b = gradients + p * gradient_stride;
        gemm.c.data = scratch + (winograd_row(g.tile, pair, p >= side) * side + p % side) * sum_stride;
        gemm_block_f32(gemm);
      }
    }
  }
}

WinogradPointStrides pair_strides(WinogradTile tile, int pair, std::int64_t point_stride) {
  const std::int64_t line = winograd_side(tile) * point_stride;
  return {winograd_row(tile, pair, 0) * line, winograd_row(tile, pair, 1) * line, point_stride};
}

// Calls run(tiles, where they lie in their block's panels, the block's first tile) for the parts of the range that lie
// in one block of depth_step tiles each.
template <class Run>
void for_depth_blocks(const WinogradGradient& g, const WinogradRange& tiles, Run run) {
  for (std::int64_t begin = tiles.begin; begin < tiles.end;) {
    const std::int64_t block_begin = begin / g.depth_step * g.depth_step;
    const std::int64_t end = std::min(tiles.end, block_begin + g.depth_step);
    const std::int64_t depth = std::min(g.depth_step, g.tiles - block_begin);
    run(WinogradRange{begin, end}, WinogradDepth{depth, begin - block_begin}, block_begin);
    begin = end;
  }
}

}  // namespace

// For each block of the gradient its points' sums stay in L2 while the tiles pass.
void winograd_conv2d_bwd_weight_f32(const WinogradGradient& g, const float* x, const float* dy,
                                    const GradientPanels& dw, const WinogradRange& tiles, const WinogradRange& rows,
                                    const WinogradRange& cols, float* scratch) {
  const std::int64_t row_step = winograd_even_block(rows.size(), g.row_step, kGemmTileRows);
  const std::int64_t col_step = winograd_even_block(cols.size(), g.col_step, kGemmTileCols);
  for (std::int64_t row = rows.begin; row < rows.end; row += row_step) {
    for (std::int64_t col = cols.begin; col < cols.end; col += col_step) {
      const WinogradBlock row_block{0, 0, row, std::min(row + row_step, rows.end)};
      const WinogradBlock col_block{0, 0, col, std::min(col + col_step, cols.end)};
      const std::int64_t sum_stride =
          winograd_point_stride(round_up(row_block.channels(), kGemmTileRows) * round_up(col_block.channels(), 4));
      sum_block(g, x, dy, tiles, row_block, col_block, sum_stride, scratch);
      finish_block(g, scratch, sum_stride, row_block, col_block, dw);
    }
  }
}

void winograd_bwd_weight_input_f32(const WinogradGradient& g, const float* x, const WinogradRange& tiles,
                                   float* inputs) {
  const std::int64_t rows = round_up(g.x.channels, kGemmTileRows), stride = g.input_stride();
  for_depth_blocks(g, tiles, [&](const WinogradRange& range, const WinogradDepth& depth, std::int64_t block_begin) {
    for (int pair = 0; pair < winograd_pairs(g.tile); ++pair) {
      winograd_pack_input_trans_f32(g.tile, pair, g.x, x, {range.begin, range.end, 0, g.x.channels}, depth,
                                    inputs + rows * block_begin, pair_strides(g.tile, pair, stride));
    }
  });
}

void winograd_bwd_weight_gradient_f32(const WinogradGradient& g, const float* dy, const WinogradRange& tiles,
                                      float* gradients) {
  const std::int64_t cols = round_up(g.dy.channels, 4), stride = g.gradient_stride();
  for_depth_blocks(g, tiles, [&](const WinogradRange& range, const WinogradDepth& depth, std::int64_t block_begin) {
    for (int pair = 0; pair < winograd_pairs(g.tile); ++pair) {
      winograd_pack_gradient_f32(g.tile, pair, g.dy, dy, {range.begin, range.end, 0, g.dy.channels}, depth,
                                 gradients + cols * block_begin, pair_strides(g.tile, pair, stride));
    }
  });
}

void winograd_bwd_weight_multiply_f32(const WinogradGradient& g, const float* inputs, const float* gradients,
                                      std::int64_t point, float* sums) {
  GemmBlock gemm;
  gemm.rows = round_up(g.x.channels, kGemmTileRows);
  gemm.cols = round_up(g.dy.channels, 4);
  gemm.c.data = sums + point * g.sum_stride();
  gemm.c.panel_depth = gemm.rows;
  for (std::int64_t first = 0; first < g.tiles; first += g.depth_step) {
    gemm.depth = gemm.b_depth = std::min(g.depth_step, g.tiles - first);
    gemm.a = inputs + point * g.input_stride() + gemm.rows * first;
    gemm.b = gradients + point * g.gradient_stride() + gemm.cols * first;
    gemm.accumulate = first > 0;
    gemm_block_f32(gemm);
  }
}

void winograd_bwd_weight_output_f32(const WinogradGradient& g, const float* sums, const WinogradRange& rows,
                                    const WinogradRange& cols, const GradientPanels& dw) {
  const std::int64_t sum_rows = round_up(g.x.channels, kGemmTileRows), sum_cols = round_up(g.dy.channels, 4);
  for (std::int64_t col = cols.begin; col < cols.end; col += kGemmTileCols) {
    const std::int64_t width = std::min(kGemmTileCols, sum_cols - col);
    finish_panel(g, sums + col * sum_rows + rows.begin * width, g.sum_stride(), rows.begin, rows.size(), col, width,
                 dw);
  }
}

}  // namespace bramble::kernels
