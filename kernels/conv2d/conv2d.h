// 2-D convolution, forward and both gradients, as slices of matrix products over packed patches (patch_grid.h, gemm.h).
// A linear layer is a 1 x 1 convolution of an image of one row. Stateless; no allocation, no threads.
//
//   y[n][oy][ox][o] = sum over ky, kx, c of
//       x[n][oy * stride + ky * dilation - padding][ox * stride + kx * dilation - padding][g * in_per_group + c] *
//       weight(o, c, ky, kx),  g = o / out_per_group; x is zero outside the image.
//
// Activations are dense NHWC. Weights and their gradients lie as packed_weight.h says, one group's matrix after the
// other.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/batchnorm/batchnorm.h"
#include "kernels/conv2d/patch_grid.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm/packed_weight.h"

namespace bramble::kernels {

struct Conv2dShape {
  std::int64_t batch = 1;
  std::int64_t in_height = 1;
  std::int64_t in_width = 1;
  std::int64_t in_channels = 1;
  std::int64_t out_channels = 1;
  std::int64_t kernel_height = 1;
  std::int64_t kernel_width = 1;
  std::int64_t stride = 1;
  std::int64_t padding = 0;
  std::int64_t dilation = 1;
  std::int64_t groups = 1;
  std::int64_t extra_padding = 0;  ///< below and at the right alone

  std::int64_t out_height() const { return out_extent(in_height, kernel_height); }
  std::int64_t out_width() const { return out_extent(in_width, kernel_width); }
  std::int64_t in_per_group() const { return in_channels / groups; }
  std::int64_t out_per_group() const { return out_channels / groups; }
  std::int64_t out_rows() const { return batch * out_height() * out_width(); }
  std::int64_t depth() const { return kernel_height * kernel_width * in_per_group(); }
  PackedWeightShape weight() const { return {out_channels, in_per_group(), kernel_height, kernel_width, groups}; }

 private:
  std::int64_t out_extent(std::int64_t in, std::int64_t kernel) const {
    return (in + 2 * padding + extra_padding - dilation * (kernel - 1) - 1) / stride + 1;
  }
};

/// How many terms are summed before the sum goes to memory: (12 + 8) * 4 B * 192 = 15 KiB of L1. A constant, since it
/// decides the order of summation: results are then the same bits on machines of any cache sizes.
inline constexpr std::int64_t kBlockDepth = 192;

/// Block sizes, all in one place. A B panel (12 columns) and an A panel (8 rows) of `depth` stay in half of L1; a
/// task's packed A block, rows x depth, stays in a third of L2 beside the output's lines. By weight the depth is pixels
/// of dy, and a packed block of dy, depth x gradient_cols, stays in another third.
struct ConvBlocking {
  std::int64_t depth = kBlockDepth;
  std::int64_t rows = 128;           // 128 * 192 * 4 B = 96 KiB of 512
  std::int64_t gradient_cols = 192;  // 192 * 192 * 4 B = 144 KiB
};

/// For a core with these caches, in bytes; the defaults above for the Pi 5's.
ConvBlocking conv_blocking(std::size_t l2);

/// A part of one group's product. Columns begin at a multiple of 12.
struct ConvSlice {
  std::int64_t group = 0;
  std::int64_t row_begin = 0;
  std::int64_t row_end = 0;
  std::int64_t col_begin = 0;
  std::int64_t col_end = 0;
};

/// x, or what becomes of it on the way in: only for 1 x 1 convolutions with stride 1, no padding and one group.
struct ConvSource {
  ConvSource(const float* source) : data(source) {}
  ConvSource(const float* source, const Normalisation* way_in) : data(source), normalisation(way_in) {}
  const float* data;
  const Normalisation* normalisation = nullptr;
};

/// Floats of scratch (64-byte aligned) for any of the functions below.
std::int64_t conv2d_scratch(const ConvBlocking& blocking);

/// Output pixels that the forward computes at a time: slices of a multiple of it compute none in vain.
std::int64_t conv2d_fwd_tile_rows(const Conv2dShape& shape, bool normalised);

/// Rows in multiples of which the tiles of all columns are whole.
std::int64_t conv2d_fwd_whole_tiles(const Conv2dShape& shape);

/// y = epilogue(conv(x)) for output pixels [row_begin, row_end) and the group's channels [col_begin, col_end). Written
/// (=). The epilogue's bias has out_channels elements, its residual and preactivation lie like y.
void conv2d_fwd_f32(const Conv2dShape& shape, const ConvSource& x, const float* weight, float* y,
                    const GemmEpilogue& epilogue, const ConvSlice& slice, const ConvBlocking& blocking, float* scratch);

/// By data the input pixels (iy, ix) fall into stride * stride phases (iy % stride, ix % stride); each is a product of
/// its own, with only those taps that reach it. Phase p = (iy % stride) * stride + ix % stride.
std::int64_t conv2d_bwd_data_phases(const Conv2dShape& shape);
/// Input pixels of a phase: the rows of its product.
std::int64_t conv2d_bwd_data_rows(const Conv2dShape& shape, std::int64_t phase);
std::int64_t conv2d_bwd_data_depth(const Conv2dShape& shape, std::int64_t phase);

/// As conv2d_fwd_tile_rows, of by data, where the convolution has one phase.
std::int64_t conv2d_bwd_data_tile_rows(const Conv2dShape& shape);

/// The transposed weights, B panels of ([taps of the phase][out_per_group]) x in_per_group for each group and phase.
std::int64_t conv2d_bwd_data_weight_elements(const Conv2dShape& shape);
/// Fills columns [col_begin, col_end) (of in_per_group, from a multiple of 12) of one group's and phase's panels.
void conv2d_pack_bwd_data_weight_f32(const Conv2dShape& shape, const float* weight, std::int64_t group,
                                     std::int64_t phase, std::int64_t col_begin, std::int64_t col_end, float* packed);

/// dx = gradient of the convolution (+ addend, which lies like dx, unless null) for the phase's input pixels
/// [row_begin, row_end) and the group's input channels [col_begin, col_end). Written (=), also where no tap reaches.
void conv2d_bwd_data_f32(const Conv2dShape& shape, std::int64_t phase, const float* dy, const float* packed_weight,
                         const float* addend, float* dx, const ConvSlice& slice, const ConvBlocking& blocking,
                         float* scratch);

/// As conv2d_bwd_data_f32, of the weight as it is stored: the slice's columns of it are transposed in scratch, as many
/// terms at a time as are summed before a sum breaks. For weights that no cache holds and so few rows that one slice
/// has all of them; others would transpose the same columns again.
void conv2d_bwd_data_transposing_f32(const Conv2dShape& shape, std::int64_t phase, const float* dy, const float* weight,
                                     const float* addend, float* dx, const ConvSlice& slice,
                                     const ConvBlocking& blocking, float* scratch);
/// Floats of its scratch (64-byte aligned), for slices of so many columns.
std::int64_t conv2d_bwd_data_transposing_scratch(std::int64_t cols, const ConvBlocking& blocking);

/// dy [output pixels][out_channels], or also the B panels of its only group that conv2d_bwd_weight_pack_f32 made.
struct ConvGradient {
  ConvGradient(const float* dy) : data(dy) {}
  ConvGradient(const float* dy, const float* packed) : data(dy), panels(packed) {}
  const float* data;
  const float* panels = nullptr;
};

/// How many of `depth` output pixels are multiplied at a time.
std::int64_t conv2d_bwd_weight_step(std::int64_t depth, const ConvBlocking& blocking);
/// Packs columns [col_begin, col_end) (from a multiple of 12) of pixels [m, m + depth), one step of a part's, into
/// `panels`: out_rows() * round_up(out_channels, 12) floats, for convolutions of one group.
void conv2d_bwd_weight_pack_f32(const Conv2dShape& shape, const float* dy, std::int64_t m, std::int64_t depth,
                                std::int64_t col_begin, std::int64_t col_end, float* panels);

/// dw = sum over output pixels m in [depth_begin, depth_end) of patch(m)[k] * dy[m][o], for weight rows k in
/// [row_begin, row_end) (from a multiple of 8) and the group's columns [col_begin, col_end). Written (=), or with
/// `accumulate` added to what is there (+=).
/// `dw` is the whole weight's gradient, a partial one of the same layout, or panels that hold the slice at least. Where
/// `db` (out_channels elements) is not null and row_begin is 0, also db[o] = sum of dy[m][o] for those columns.
/// With `update`, whose weight and state are those of the whole layer, complete sums of whole panels go there instead of
/// to dw, which then only needs room for them; slices then have a multiple of 8 rows.
void conv2d_bwd_weight_f32(const Conv2dShape& shape, const ConvSource& x, const ConvGradient& dy,
                           const GradientPanels& dw, float* db, const ConvSlice& slice, std::int64_t depth_begin,
                           std::int64_t depth_end, const ConvBlocking& blocking, float* scratch,
                           bool accumulate = false, const GemmUpdate* update = nullptr);

/// sum[i] = parts[0][i] + parts[1][i] + … in this order, for i in [begin, end); part p begins at parts + p * stride.
void sum_parts_f32(const float* parts, std::int64_t count, std::int64_t stride, std::int64_t begin, std::int64_t end,
                   float* sum);

/// Scalar references of the whole operation, summing in double.
void conv2d_fwd_f32_ref(const Conv2dShape& shape, const float* x, const float* weight, float* y,
                        const GemmEpilogue& epilogue);
void conv2d_bwd_data_f32_ref(const Conv2dShape& shape, const float* dy, const float* weight, const float* addend,
                             float* dx);
void conv2d_bwd_weight_f32_ref(const Conv2dShape& shape, const float* x, const float* dy, float* dw, float* db);

}  // namespace bramble::kernels
