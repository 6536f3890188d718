// Winograd's minimal filtering for dense 3 x 3 convolutions of stride 1 (Lavin & Gray 2016, arXiv:1509.09308), forward
// and both gradients. The equations computed are conv2d.h's, for kernel 3 x 3, stride = dilation = groups = 1 and
// padding 0 to 2; the references are conv2d.h's too. Stateless; no allocation, no threads.
//
// F(m x m, 3 x 3) cuts the output into tiles of m x m, each of which sees t x t inputs, t = m + 2. With the matrices of
// winograd_matrices_neon.h, for a tile's inputs d, a kernel g and the gradient dY of a tile:
//
//   forward     y  = A^T [ sum over c of (G g G^T) . (B^T d B) ] A          . is the product point by point
//   by data     the same on dy with the kernel turned by 180 degrees, its channels swapped, and padding 2 - padding
//   by weight   dg = G^T [ sum over tiles of (B^T d B) . (A dY A^T) ] G
//
// so that each of the t * t points is one matrix product over channels (over tiles by weight), gemm.h's. They take
// t * t / (9 m * m) of the direct multiplications: 16/36 for m = 2, 36/144 for m = 4. F(2 x 2) errs about as direct
// summation does, F(4 x 4) several times as much.
//
// Activations are dense NHWC, weights and their gradients lie as packed_weight.h says. Tile i of an image's grid is
// (n * tiles_y + ty) * tiles_x + tx.
#pragma once

#include <cstdint>

#include "kernels/conv2d/conv2d.h"

namespace bramble::kernels {

/// Outputs along a side of a tile.
enum class WinogradTile : int { two = 2, four = 4 };

constexpr std::int64_t winograd_points(WinogradTile tile) {
  const std::int64_t side = static_cast<std::int64_t>(tile) + 2;
  return side * side;
}

/// Floats from one point's matrix to the next: whole cache lines, and one more, since 16 or 36 streams at a stride of a
/// power of two would share a set of the caches.
constexpr std::int64_t winograd_point_stride(std::int64_t elements) { return round_up(elements, 16) + 16; }

constexpr bool winograd_supports(const Conv2dShape& s) {
  return s.kernel_height == 3 && s.kernel_width == 3 && s.stride == 1 && s.dilation == 1 && s.groups == 1 &&
         s.padding >= 0 && s.padding <= 2 && s.extra_padding == 0;
}

/// A dense NHWC image cut into windows: that of tile (n, ty, tx) begins at pixel (ty * step + first, tx * step + first)
/// and may reach beyond the image, where it is zero.
struct WinogradTiles {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
  std::int64_t tiles_y = 0;
  std::int64_t tiles_x = 0;
  std::int64_t step = 0;
  std::int64_t first = 0;
};

/// A range of tiles and one of channels.
struct WinogradBlock {
  std::int64_t tile_begin = 0;
  std::int64_t tile_end = 0;
  std::int64_t channel_begin = 0;
  std::int64_t channel_end = 0;

  std::int64_t tiles() const { return tile_end - tile_begin; }
  std::int64_t channels() const { return channel_end - channel_begin; }
};

/// A convolution, forward (x to y) or by data (dy to dx), as tiles of its source and of its result.
struct WinogradConv2d {
  WinogradTile tile = WinogradTile::two;
  std::int64_t tiles = 0;
  WinogradTiles source, result;
  /// Block sizes. They decide the order of summation: functions of the shape alone.
  std::int64_t depth_step = 0;  ///< sums over channels break after so many
  std::int64_t tile_step = 0;   ///< of winograd_conv2d_f32: tiles whose points stay in L2 …
  std::int64_t col_step = 0;    ///< … while so many channels' sums are made of them at a time

  std::int64_t points() const { return winograd_points(tile); }
  /// Floats of the transformed weight: for each point B panels of source.channels x result.channels.
  std::int64_t weight_stride() const {
    return winograd_point_stride(gemm_b_elements(source.channels, result.channels));
  }
  /// Floats of all tiles' transformed inputs: for each point, for each block of depth_step channels, A panels.
  std::int64_t input_stride() const { return winograd_point_stride(gemm_a_elements(tiles, source.channels)); }
  /// Floats of all tiles' sums: for each point rows of tiles, whole GEMM tiles of them.
  std::int64_t sum_cols() const { return round_up(result.channels, 4); }
  std::int64_t sum_stride() const { return winograd_point_stride(round_up(tiles, kGemmTileRows) * sum_cols()); }
};

WinogradConv2d winograd_conv2d_fwd(const Conv2dShape& shape, WinogradTile tile);
WinogradConv2d winograd_conv2d_bwd_data(const Conv2dShape& shape, WinogradTile tile);

/// transformed = G g G^T for output channels [col_begin, col_end), from a multiple of 12. Written (=), pads too.
void winograd_fwd_weight_f32(const WinogradConv2d& conv, const float* weight, std::int64_t col_begin,
                             std::int64_t col_end, float* transformed);
/// The same of the kernels turned by 180 degrees, for input channels [col_begin, col_end), from a multiple of 12.
void winograd_bwd_data_weight_f32(const WinogradConv2d& conv, const float* weight, std::int64_t col_begin,
                                  std::int64_t col_end, float* transformed);

/// Floats of scratch (64-byte aligned) for winograd_conv2d_f32.
std::int64_t winograd_conv2d_scratch(const WinogradConv2d& conv);

/// result = epilogue(conv(source)) for the block's tiles and result channels (from a multiple of 12), by all three
/// steps below while a few tiles' points are in L2. Written (=). The epilogue's bias has the result's channels, its
/// residual and preactivation lie like the result; it has no gelu_input. By data the addend is the epilogue's residual.
void winograd_conv2d_f32(const WinogradConv2d& conv, const float* source, const float* transformed, float* result,
                         const GemmEpilogue& epilogue, const WinogradBlock& block, float* scratch);

/// The three steps for all tiles, through memory: where channels are many, no block of all points fits L2, and each
/// point's product is better made at once.
/// 1. inputs = B^T d B of the block's tiles (from a multiple of 8) and all channels.
void winograd_input_f32(const WinogradConv2d& conv, const float* source, std::int64_t tile_begin, std::int64_t tile_end,
                        float* inputs);
/// 2. sums = inputs * transformed of one point, for the block's tiles (from a multiple of 8) and result channels (from
/// a multiple of 12).
void winograd_multiply_f32(const WinogradConv2d& conv, const float* inputs, const float* transformed,
                           std::int64_t point, const WinogradBlock& block, float* sums);
/// 3. result = epilogue(A^T sums A) for the block's tiles and result channels (from a multiple of 4).
void winograd_output_f32(const WinogradConv2d& conv, const float* sums, const GemmEpilogue& epilogue,
                         const WinogradBlock& block, float* result);

struct WinogradRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t size() const { return end - begin; }
};

/// The gradient by weight as tiles of x and dy. For each point the sums are a matrix of x's channels x dy's channels.
struct WinogradGradient {
  WinogradTile tile = WinogradTile::four;
  std::int64_t tiles = 0;
  WinogradTiles x, dy;
  std::int64_t row_step = 0;  ///< of winograd_conv2d_bwd_weight_f32: blocks of the sums stay in L2 …
  std::int64_t col_step = 0;
  std::int64_t tile_step = 0;   ///< … while so many tiles are added at a time
  std::int64_t depth_step = 0;  ///< through memory sums break after so many tiles

  std::int64_t points() const { return winograd_points(tile); }
  /// Floats of the transformed x and dy: for each point, for each block of depth_step tiles, A and B panels.
  std::int64_t input_stride() const { return winograd_point_stride(gemm_a_elements(x.channels, tiles)); }
  std::int64_t gradient_stride() const { return winograd_point_stride(gemm_b_elements(tiles, dy.channels)); }
  /// Floats of the sums: for each point B panels, round_up(x.channels, 8) deep.
  std::int64_t sum_stride() const {
    return winograd_point_stride(gemm_b_elements(round_up(x.channels, kGemmTileRows), dy.channels));
  }
};

WinogradGradient winograd_conv2d_bwd_weight(const Conv2dShape& shape, WinogradTile tile);

/// Floats of scratch (64-byte aligned) for winograd_conv2d_bwd_weight_f32.
std::int64_t winograd_conv2d_bwd_weight_scratch(const WinogradGradient& gradient);

/// dw = the part of the weight's gradient that the range of tiles contributes, for input channels `rows` (from a
/// multiple of 8) and output channels `cols` (from a multiple of 12). Written (=), pads too. `dw` is the whole weight's
/// gradient, a partial one of the same layout, or panels that hold these rows and columns at least.
void winograd_conv2d_bwd_weight_f32(const WinogradGradient& gradient, const float* x, const float* dy,
                                    const GradientPanels& dw, const WinogradRange& tiles, const WinogradRange& rows,
                                    const WinogradRange& cols, float* scratch);

/// The steps of the whole gradient through memory. 1. inputs = B^T d B, gradients = A dY A^T of the range's tiles.
void winograd_bwd_weight_input_f32(const WinogradGradient& gradient, const float* x, const WinogradRange& tiles,
                                   float* inputs);
void winograd_bwd_weight_gradient_f32(const WinogradGradient& gradient, const float* dy, const WinogradRange& tiles,
                                      float* gradients);
/// 2. sums = inputs^T * gradients of one point.
void winograd_bwd_weight_multiply_f32(const WinogradGradient& gradient, const float* inputs, const float* gradients,
                                      std::int64_t point, float* sums);
/// 3. dw = G^T sums G for input channels `rows` (from a multiple of 4) and output channels `cols` (from one of 12).
void winograd_bwd_weight_output_f32(const WinogradGradient& gradient, const float* sums, const WinogradRange& rows,
                                    const WinogradRange& cols, const GradientPanels& dw);

}  // namespace bramble::kernels
