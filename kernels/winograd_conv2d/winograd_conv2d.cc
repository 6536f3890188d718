// Forward and by data: the blocks' loops. The transforms are in winograd_tiles_neon.cc, winograd_output_neon.cc and
// winograd_weight_neon.cc.
#include "kernels/winograd_conv2d/winograd_conv2d.h"

#include <algorithm>

#include "kernels/winograd_conv2d/winograd_blocks.h"
#include "kernels/winograd_conv2d/winograd_output.h"
#include "kernels/winograd_conv2d/winograd_tiles.h"

namespace bramble::kernels {
namespace {

// Sums over channels break after so many, and in the middle: long running sums, not the transforms, are what F(2 x 2)
// would err more by than direct summation (2.5e-7 of the result's size, root mean square, of inputs and weights uniform
// around zero): 2.1e-7 in sums of 32 terms, 2.4e-7 of 48, 2.7e-7 of 64, 3.6e-7 of 128; F(4 x 4) 1.6e-6 of 64, 2.2e-6 of
// 128, 2.9e-6 of 256. Sums over up to 128 channels are shorter: their layers come first, and all later ones amplify what
// they err by.
// Which order of sums is not a free choice among equals, nor is that of the transform back: golden files turn on the
// signs of activations within float32's error of a ReLU's kink.
constexpr std::int64_t kDepth = 64;
constexpr std::int64_t kEarlyDepth = 32;
constexpr std::int64_t kEarlyChannels = 128;
// Gradients bear F(4 x 4)'s 1.6e-6 to 2.9e-6 of unbroken sums: L1 decides.
constexpr std::int64_t kGradientDepth = 256;
// Points of inputs that stay in L2: 432 KiB.
constexpr std::int64_t kInputFloats = 108 << 10;

std::int64_t longest_sum(const WinogradConv2d& conv) {
  if (conv.tile == WinogradTile::four) return kGradientDepth;
  return conv.source.channels <= kEarlyChannels ? kEarlyDepth : kDepth;
}

void set_blocks(WinogradConv2d& conv) {
  const bool two = conv.tile == WinogradTile::two;
  conv.depth_step = winograd_even_block(conv.source.channels, longest_sum(conv), 8);
  const std::int64_t fitting = kInputFloats / (conv.points() * conv.source.channels) / kGemmTileRows * kGemmTileRows;
  conv.tile_step = std::clamp<std::int64_t>(fitting, kGemmTileRows, two ? 48 : 32);
  // The sums [points][tiles][cols] of 12 columns are 54 KiB, of 24 columns of 16 points 72 KiB.
  conv.col_step = two ? 24 : 12;
}

// The block's inputs to `inputs`, where the points lie `input_stride` apart and `rows` rows of panels follow each
// other.
void transform_inputs(const WinogradConv2d& conv, const float* source, WinogradBlock block, std::int64_t rows,
                      std::int64_t first_row, float* inputs, std::int64_t input_stride) {
  const std::int64_t side = winograd_side(conv.tile);
  for (std::int64_t k = 0; k < conv.source.channels; k += conv.depth_step) {
    block.channel_begin = k;
    block.channel_end = std::min(k + conv.depth_step, conv.source.channels);
    for (int pair = 0; pair < winograd_pairs(conv.tile); ++pair) {
      const WinogradPointStrides strides{winograd_row(conv.tile, pair, 0) * side * input_stride,
                                         winograd_row(conv.tile, pair, 1) * side * input_stride, input_stride};
      winograd_pack_input_f32(conv.tile, pair, conv.source, source, block,
                              inputs + rows * k + first_row * block.channels(), strides);
    }
  }
}

// One point's product: `rows` rows from first_row on of `all_rows` rows of inputs.
void multiply(const WinogradConv2d& conv, const float* inputs, std::int64_t all_rows, std::int64_t first_row,
              const float* weight, GemmBlock& gemm) {
  const std::int64_t depth = conv.source.channels;
  gemm.b = weight;
  gemm.b_depth = depth;
  for (std::int64_t k = 0; k < depth; k += conv.depth_step) {
    gemm.depth = std::min(conv.depth_step, depth - k);
    gemm.a = inputs + all_rows * k + first_row * gemm.depth;
    gemm.b_first = k;
    gemm.accumulate = k > 0;
    gemm_block_f32(gemm);
  }
}

}  // namespace

WinogradConv2d winograd_conv2d_fwd(const Conv2dShape& s, WinogradTile tile) {
  WinogradConv2d conv;
  conv.tile = tile;
  conv.source =
      winograd_tiles(tile, {s.in_height, s.in_width, s.in_channels}, s.out_height(), s.out_width(), -s.padding);
  conv.result = winograd_tiles(tile, {s.out_height(), s.out_width(), s.out_channels}, s.out_height(), s.out_width(), 0);
  conv.tiles = s.batch * conv.result.tiles_y * conv.result.tiles_x;
  set_blocks(conv);
  return conv;
}

WinogradConv2d winograd_conv2d_bwd_data(const Conv2dShape& s, WinogradTile tile) {
  WinogradConv2d conv;
  conv.tile = tile;
  conv.source =
      winograd_tiles(tile, {s.out_height(), s.out_width(), s.out_channels}, s.in_height, s.in_width, s.padding - 2);
  conv.result = winograd_tiles(tile, {s.in_height, s.in_width, s.in_channels}, s.in_height, s.in_width, 0);
  conv.tiles = s.batch * conv.result.tiles_y * conv.result.tiles_x;
  set_blocks(conv);
  return conv;
}

std::int64_t winograd_conv2d_scratch(const WinogradConv2d& conv) {
  return conv.points() * (winograd_point_stride(conv.tile_step * conv.col_step) +
                          winograd_point_stride(conv.tile_step * conv.source.channels));
}

// The block's tiles are transformed once and stay in L2 while the weight's points stream past, a few columns of all
// points at a time, so that their sums are still near when they are transformed back.
void winograd_conv2d_f32(const WinogradConv2d& conv, const float* source, const float* transformed, float* result,
                         const GemmEpilogue& epilogue, const WinogradBlock& slice, float* scratch) {
  const std::int64_t tile_step = winograd_even_block(slice.tiles(), conv.tile_step, kGemmTileRows);
  const std::int64_t col_steps = winograd_ceil_div(slice.channels(), conv.col_step);
  float* inputs = scratch + conv.points() * winograd_point_stride(conv.tile_step * conv.col_step);
  for (std::int64_t first = slice.tile_begin; first < slice.tile_end; first += tile_step) {
    WinogradBlock block{first, std::min(first + tile_step, slice.tile_end), 0, 0};
    // Whole GEMM tiles: what lies beyond the block's tiles and columns is zero, and computed too.
    GemmBlock gemm;
    gemm.c.cached = true;
    gemm.rows = round_up(block.tiles(), kGemmTileRows);
    const std::int64_t input_stride = winograd_point_stride(gemm.rows * conv.source.channels);
    transform_inputs(conv, source, block, gemm.rows, 0, inputs, input_stride);
    // Back and forth: what L3 still holds of the weight after one block of tiles is where the next one begins.
    const bool forth = first / tile_step % 2 == 0;
    for (std::int64_t step = 0; step < col_steps; ++step) {
      block.channel_begin = slice.channel_begin + (forth ? step : col_steps - 1 - step) * conv.col_step;
      block.channel_end = std::min(block.channel_begin + conv.col_step, slice.channel_end);
      gemm.cols = gemm.c.row_stride = round_up(block.channels(), 4);
      const std::int64_t sum_stride = winograd_point_stride(gemm.rows * gemm.cols);
      const float* weight = transformed + block.channel_begin * conv.source.channels;
      for (std::int64_t point = 0; point < conv.points(); ++point) {
        gemm.c.data = scratch + point * sum_stride;
        multiply(conv, inputs + point * input_stride, gemm.rows, 0, weight + point * conv.weight_stride(), gemm);
      }
      winograd_inverse_f32(conv.tile, conv.result, scratch, sum_stride, gemm.cols, block, epilogue, result);
    }
  }
}

void winograd_input_f32(const WinogradConv2d& conv, const float* source, std::int64_t tile_begin, std::int64_t tile_end,
                        float* inputs) {
  transform_inputs(conv, source, {tile_begin, tile_end, 0, 0}, round_up(conv.tiles, kGemmTileRows), tile_begin, inputs,
                   conv.input_stride());
}

void winograd_multiply_f32(const WinogradConv2d& conv, const float* inputs, const float* transformed,
                           std::int64_t point, const WinogradBlock& block, float* sums) {
  GemmBlock gemm;
  gemm.rows = round_up(block.tiles(), kGemmTileRows);
  gemm.cols = round_up(block.channels(), 4);
  gemm.c.row_stride = conv.sum_cols();
  gemm.c.data = sums + point * conv.sum_stride() + block.tile_begin * conv.sum_cols() + block.channel_begin;
  multiply(conv, inputs + point * conv.input_stride(), round_up(conv.tiles, kGemmTileRows), block.tile_begin,
           transformed + point * conv.weight_stride() + block.channel_begin * conv.source.channels, gemm);
}

void winograd_output_f32(const WinogradConv2d& conv, const float* sums, const GemmEpilogue& epilogue,
                         const WinogradBlock& block, float* result) {
  winograd_inverse_f32(conv.tile, conv.result, sums + block.tile_begin * conv.sum_cols() + block.channel_begin,
                       conv.sum_stride(), conv.sum_cols(), block, epilogue, result);
}

}  // namespace bramble::kernels
