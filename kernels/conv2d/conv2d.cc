#include "kernels/conv2d/conv2d.h"

#include <algorithm>

#include "kernels/conv2d/conv2d_grids.h"
#include "kernels/conv2d/patch_product.h"

namespace bramble::kernels {

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

std::int64_t conv2d_fwd_whole_tiles(const Conv2dShape& shape) {
  return pixels_in_place(conv2d_fwd_grid(shape)) ? gemm_rows_whole_tiles(shape.out_per_group()) : kGemmTileRows;
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

}  // namespace bramble::kernels
