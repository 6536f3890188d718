#include <algorithm>

#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d/conv2d_blocks.h"
#include "kernels/conv2d/conv2d_grids.h"
#include "kernels/conv2d/pack_normalised.h"

namespace bramble::kernels {

using conv2d::depth_block;
using conv2d::even_block;

std::int64_t conv2d_bwd_weight_step(std::int64_t depth, const ConvBlocking& blocking) {
  return depth_block(depth, blocking.depth);
}

void conv2d_bwd_weight_pack_f32(const Conv2dShape& shape, const float* dy, std::int64_t m, std::int64_t depth,
                                std::int64_t col_begin, std::int64_t col_end, float* panels) {
  gemm_pack_b_f32(depth, col_end - col_begin, dy + m * shape.out_channels + col_begin, shape.out_channels,
                  panels + m * round_up(shape.out_channels, kGemmTileCols) + col_begin * depth);
}

// For each block of columns and each block of pixels, dy is packed once, unless it has been for all slices, and
// multiplied with every block of patches; the part of dw that the columns cover stays in L2 between the blocks of
// pixels.
void conv2d_bwd_weight_f32(const Conv2dShape& shape, const ConvSource& x, const ConvGradient& dy,
                           const GradientPanels& dw, float* db, const ConvSlice& slice, std::int64_t depth_begin,
                           std::int64_t depth_end, const ConvBlocking& blocking, float* scratch, bool accumulate,
                           const GemmUpdate* update) {
  const PatchGrid grid = conv2d_fwd_grid(shape);
  const std::int64_t group_cols = shape.out_per_group(), cols = slice.col_end - slice.col_begin;
  const float* source = x.data + slice.group * shape.in_per_group();
  const float* gradient = dy.data + slice.group * group_cols;
  float* const panels =
      dw.is_part() ? dw.data : dw.data + slice.group * packed_weight_elements(shape.depth(), group_cols);
  const std::int64_t panel_depth = dw.rows_of(shape.depth());
  if (db) db += slice.group * group_cols;
  float* dy_panels = scratch;
  float* patches = scratch + blocking.depth * blocking.gradient_cols;

  const std::int64_t col_step = dy.panels ? cols : even_block(cols, blocking.gradient_cols, kGemmTileCols);
  const std::int64_t depth_step = conv2d_bwd_weight_step(depth_end - depth_begin, blocking);
  const std::int64_t row_step = even_block(slice.row_end - slice.row_begin, blocking.rows, kGemmTileRows);
  for (std::int64_t col = slice.col_begin; col < slice.col_end; col += col_step) {
    GemmBlock block;
    block.cols = std::min(col_step, slice.col_end - col);
    block.a = patches;
    block.c.data = panels + (col - dw.first_col) * panel_depth;
    block.c.panel_depth = panel_depth;
    for (std::int64_t m = depth_begin; m < depth_end; m += depth_step) {
      block.depth = block.b_depth = std::min(depth_step, depth_end - m);
      block.accumulate = accumulate || m > depth_begin;
      const float* rows = gradient + m * shape.out_channels + col;
      if (dy.panels) {
        block.b = dy.panels + m * round_up(group_cols, kGemmTileCols) + col * block.depth;
      } else {
        gemm_pack_b_f32(block.depth, block.cols, rows, shape.out_channels, dy_panels);
        block.b = dy_panels;
      }
      if (db && slice.row_begin == 0) {
        gemm_column_sums_f32(block.depth, block.cols, rows, shape.out_channels, db + col, block.accumulate);
      }
      for (std::int64_t k = slice.row_begin; k < slice.row_end; k += row_step) {
        block.rows = std::min(row_step, slice.row_end - k);
        block.c.first_row = k - dw.first_row;
        if (x.normalisation) {
          pack_a_trans_normalised_f32(x.normalisation->from(k).from_row(m), block.rows, block.depth,
                                      source + m * grid.pixel_stride + k, grid.pixel_stride, patches);
        } else {
          pack_patches_trans_f32(grid, source, k, k + block.rows, m, m + block.depth, patches);
        }
        if (update && m + depth_step >= depth_end) {
          const std::int64_t first =
              slice.group * packed_weight_elements(shape.depth(), group_cols) + col * shape.depth();
          gemm_update_f32(block, update->of_block(first, shape.depth(), k));
        } else {
          gemm_block_f32(block);
        }
      }
    }
  }
}

}  // namespace bramble::kernels
