#include "kernels/conv2d/conv2d.h"

#include <algorithm>
#include <numeric>

#include "kernels/conv2d/conv2d_blocks.h"
#include "kernels/conv2d/conv2d_grids.h"
#include "kernels/conv2d/pack_normalised.h"

namespace bramble::kernels {
namespace {

using conv2d::depth_block;
using conv2d::even_block;
using conv2d::product_depth_block;

// Row blocks keep their rows' output offsets on the stack.
constexpr std::int64_t kMaxRowBlock = 256;

// Whether P's rows are the source's pixels, as in a 1 x 1 convolution with stride 1, and seven of them leave B room in
// L1 (64 KiB of four ways).
bool pixels_in_place(const PatchGrid& grid) {
  constexpr std::int64_t kWay = 16 << 10, kFourPlaces = kWay / 4;
  const auto plain = [](const PatchAxis& axis) {
    return axis.taps == 1 && axis.step == 1 && axis.first == 0 && axis.extent == axis.source;
  };
  return plain(grid.y) && plain(grid.x) &&
         std::gcd(grid.pixel_stride * static_cast<std::int64_t>(sizeof(float)), kWay) <= kFourPlaces;
}

// C = epilogue(P * B) with P of a PatchGrid and rows of C anywhere.
struct PatchProduct {
  PatchGrid grid;
  const float* source = nullptr;
  const Normalisation* normalisation = nullptr;
  const float* b = nullptr;
  std::int64_t cols = 0;
  float* c = nullptr;
  GemmEpilogue epilogue;
  // Grid position (n, gy, gx) is pixel (n, gy * step + y, gx * step + x) of C.
  std::int64_t c_height = 0, c_width = 0, c_step = 1, c_y = 0, c_x = 0, c_pixel_stride = 0;

  std::int64_t row_offset(std::int64_t m) const {
    if (c_step == 1) return m * c_pixel_stride;
    const std::int64_t gx = m % grid.x.extent, gy = m / grid.x.extent % grid.y.extent;
    const std::int64_t n = m / grid.x.extent / grid.y.extent;
    return ((n * c_height + gy * c_step + c_y) * c_width + gx * c_step + c_x) * c_pixel_stride;
  }

  // Rows of P are pixels: the GEMM reads them where they lie.
  bool rows_in_place() const { return !normalisation && c_step == 1 && pixels_in_place(grid); }

  // The epilogue of the columns from `col` on.
  GemmEpilogue epilogue_from(std::int64_t col) const {
    GemmEpilogue result = epilogue;
    if (result.bias) result.bias += col;
    if (result.residual) result.residual += col;
    if (result.preactivation) result.preactivation += col;
    return result;
  }
};

void product_block(const PatchProduct& product, std::int64_t row_begin, std::int64_t row_end, const ConvSlice& slice,
                   const ConvBlocking& blocking, float* scratch) {
  std::int64_t row_offsets[kMaxRowBlock];
  for (std::int64_t m = row_begin; m < row_end; ++m) row_offsets[m - row_begin] = product.row_offset(m);
  const GemmEpilogue epilogue = product.epilogue_from(slice.col_begin);
  GemmBlock block;
  block.rows = row_end - row_begin;
  block.cols = slice.col_end - slice.col_begin;
  block.a = scratch;
  block.b_depth = product.grid.depth();
  block.b = product.b + slice.col_begin * block.b_depth;
  block.c.data = product.c + slice.col_begin;
  block.c.row_offsets = row_offsets;
  const std::int64_t step = product_depth_block(block.b_depth, blocking.depth);
  // Once even at depth 0: a by-data phase that no tap reaches still writes its zeros.
  std::int64_t k = 0;
  do {
    block.depth = std::min(step, block.b_depth - k);
    if (product.normalisation) {
      pack_a_normalised_f32(product.normalisation->from(k), block.rows, block.depth,
                            product.source + row_begin * product.grid.pixel_stride + k, product.grid.pixel_stride,
                            scratch);
    } else {
      pack_patches_f32(product.grid, product.source, row_begin, row_end, k, k + block.depth, scratch);
    }
    block.b_first = k;
    block.accumulate = k > 0;
    k += block.depth;
    gemm_block_f32(block, k >= block.b_depth ? epilogue : GemmEpilogue{});
  } while (k < block.b_depth);
}

void rows_block(const PatchProduct& product, std::int64_t row_begin, std::int64_t row_end, const ConvSlice& slice,
                const ConvBlocking& blocking) {
  const std::int64_t first = row_begin * product.c_pixel_stride;
  GemmEpilogue epilogue = product.epilogue_from(slice.col_begin);
  if (epilogue.residual) epilogue.residual += first;
  if (epilogue.preactivation) epilogue.preactivation += first;
  GemmRows block;
  block.rows = row_end - row_begin;
  block.cols = slice.col_end - slice.col_begin;
  block.depth = block.b_depth = product.grid.depth();
  block.depth_step = product_depth_block(block.depth, blocking.depth);
  block.a = product.source + row_begin * product.grid.pixel_stride;
  block.a_stride = product.grid.pixel_stride;
  block.b = product.b + slice.col_begin * block.b_depth;
  block.c = product.c + first + slice.col_begin;
  block.c_stride = product.c_pixel_stride;
  gemm_rows_f32(block, epilogue);
}

void product_f32(const PatchProduct& product, const ConvSlice& slice, const ConvBlocking& blocking, float* scratch) {
  if (product.rows_in_place()) {
    const std::int64_t most = std::min(blocking.rows, kMaxRowBlock) / kGemmRowsTile * kGemmRowsTile;
    const std::int64_t step = even_block(slice.row_end - slice.row_begin, most, kGemmRowsTile);
    for (std::int64_t m = slice.row_begin; m < slice.row_end; m += step)
      rows_block(product, m, std::min(m + step, slice.row_end), slice, blocking);
    return;
  }
  const std::int64_t step = even_block(slice.row_end - slice.row_begin, std::min(blocking.rows, kMaxRowBlock), 8);
  for (std::int64_t m = slice.row_begin; m < slice.row_end; m += step) {
    product_block(product, m, std::min(m + step, slice.row_end), slice, blocking, scratch);
  }
}

}  // namespace

ConvBlocking conv_blocking(std::size_t l2) {
  const auto floats = [](std::size_t bytes) { return static_cast<std::int64_t>(bytes / sizeof(float)); };
  ConvBlocking blocking;
  blocking.depth = kBlockDepth;
  const std::int64_t l2_rows = floats(l2 / 3) / blocking.depth;
  blocking.rows = std::clamp<std::int64_t>(l2_rows / 16 * 16, 32, 128);
  blocking.gradient_cols = std::clamp<std::int64_t>(l2_rows / kGemmTileCols * kGemmTileCols, 36, 192);
  return blocking;
}

std::int64_t conv2d_fwd_tile_rows(const Conv2dShape& shape, bool normalised) {
  return !normalised && pixels_in_place(conv2d_fwd_grid(shape)) ? kGemmRowsTile : kGemmTileRows;
}

std::int64_t conv2d_bwd_data_tile_rows(const Conv2dShape& shape) {
  return pixels_in_place(conv2d_bwd_data_phase(shape, 0).grid) ? kGemmRowsTile : kGemmTileRows;
}

std::int64_t conv2d_scratch(const ConvBlocking& blocking) {
  return blocking.depth * (blocking.rows + blocking.gradient_cols);
}

void conv2d_fwd_f32(const Conv2dShape& shape, const ConvSource& x, const float* weight, float* y,
                    const GemmEpilogue& epilogue, const ConvSlice& slice, const ConvBlocking& blocking,
                    float* scratch) {
  const std::int64_t cols = shape.out_per_group();
  const std::int64_t first = slice.group * cols;
  PatchProduct product;
  product.grid = conv2d_fwd_grid(shape);
  product.source = x.data + slice.group * shape.in_per_group();
  product.normalisation = x.normalisation;
  product.b = weight + slice.group * packed_weight_elements(shape.depth(), cols);
  product.cols = cols;
  product.c = y + first;
  product.epilogue = {epilogue.bias ? epilogue.bias + first : nullptr,
                      epilogue.residual ? epilogue.residual + first : nullptr,
                      epilogue.preactivation ? epilogue.preactivation + first : nullptr, epilogue.activation};
  product.c_height = shape.out_height();
  product.c_width = shape.out_width();
  product.c_pixel_stride = shape.out_channels;
  product_f32(product, slice, blocking, scratch);
}

void conv2d_bwd_data_f32(const Conv2dShape& shape, std::int64_t phase, const float* dy, const float* packed_weight,
                         const float* addend, float* dx, const ConvSlice& slice, const ConvBlocking& blocking,
                         float* scratch) {
  const std::int64_t first = slice.group * shape.in_per_group();
  PatchProduct product;
  product.grid = conv2d_bwd_data_phase(shape, phase).grid;
  product.source = dy + slice.group * shape.out_per_group();
  product.b = packed_weight + conv2d_bwd_data_weight_offset(shape, slice.group, phase);
  product.cols = shape.in_per_group();
  product.c = dx + first;
  product.epilogue.residual = addend ? addend + first : nullptr;
  product.c_height = shape.in_height;
  product.c_width = shape.in_width;
  product.c_step = shape.stride;
  product.c_y = phase / shape.stride;
  product.c_x = phase % shape.stride;
  product.c_pixel_stride = shape.in_channels;
  product_f32(product, slice, blocking, scratch);
}

}  // namespace bramble::kernels
