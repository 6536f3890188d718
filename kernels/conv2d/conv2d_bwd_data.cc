#include <algorithm>

#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d/conv2d_blocks.h"
#include "kernels/conv2d/conv2d_grids.h"
#include "kernels/conv2d/patch_product.h"

namespace bramble::kernels {
namespace {

// All but B.
PatchProduct bwd_data_product(const Conv2dShape& shape, std::int64_t phase, std::int64_t group, const float* dy,
                              const float* addend, float* dx) {
  const std::int64_t first = group * shape.in_per_group();
  PatchProduct product;
  product.grid = conv2d_bwd_data_phase(shape, phase).grid;
  product.source = dy + group * shape.out_per_group();
  product.cols = shape.in_per_group();
  product.c = dx + first;
  product.epilogue.residual = addend ? addend + first : nullptr;
  product.c_height = shape.in_height;
  product.c_width = shape.in_width;
  product.c_step = shape.stride;
  product.c_y = phase / shape.stride;
  product.c_x = phase % shape.stride;
  product.c_pixel_stride = shape.in_channels;
  return product;
}

}  // namespace

std::int64_t conv2d_bwd_data_tile_rows(const Conv2dShape& shape) {
  return pixels_in_place(conv2d_bwd_data_phase(shape, 0).grid) ? kGemmRowsTile : kGemmTileRows;
}

void conv2d_bwd_data_f32(const Conv2dShape& shape, std::int64_t phase, const float* dy, const float* packed_weight,
                         const float* addend, float* dx, const ConvSlice& slice, const ConvBlocking& blocking,
                         float* scratch) {
  PatchProduct product = bwd_data_product(shape, phase, slice.group, dy, addend, dx);
  product.b = packed_weight + conv2d_bwd_data_weight_offset(shape, slice.group, phase);
  product_f32(product, slice, blocking, scratch);
}

std::int64_t conv2d_bwd_data_transposing_scratch(std::int64_t cols, const ConvBlocking& blocking) {
  return blocking.depth * (blocking.rows + round_up(cols, kGemmTileCols));
}

void conv2d_bwd_data_transposing_f32(const Conv2dShape& shape, std::int64_t phase, const float* dy, const float* weight,
                                     const float* addend, float* dx, const ConvSlice& slice,
                                     const ConvBlocking& blocking, float* scratch) {
  const PatchProduct product = bwd_data_product(shape, phase, slice.group, dy, addend, dx);
  float* const panels = scratch + blocking.depth * blocking.rows;
  const std::int64_t depth = product.grid.depth();
  const std::int64_t step = conv2d::product_depth_block(depth, blocking.depth);
  std::int64_t k = 0;
  do {  // once even at depth 0, to write zeros
    const std::int64_t terms = std::min(step, depth - k);
    conv2d_pack_bwd_data_weight_terms_f32(shape, weight, slice.group, phase, {k, k + terms}, slice.col_begin,
                                          slice.col_end, panels);
    product_terms_f32(product, k, terms, panels, slice, blocking, scratch);
    k += terms;
  } while (k < depth);
}

}  // namespace bramble::kernels
