#include "kernels/linear/linear.h"

#include <algorithm>

#include "kernels/gemm/gemm.h"

namespace bramble::kernels {
namespace {

// 48 columns, packed this deep, are 36 KiB of L1, 24 KiB where the other operand's lines are read beside them at
// strides that its sets do not spread evenly. Half as many columns where there would be too few slices for four cores.
constexpr std::int64_t kUnit = 48;
constexpr std::int64_t kFewSlices = 8;
constexpr std::int64_t kDepthOfColumns = 192;
constexpr std::int64_t kDepthOfRows = 128;

struct Depths {
  std::int64_t step;

  explicit Depths(const LinearShape& shape) {
    const std::int64_t most = shape.slices_rows() ? kDepthOfRows : kDepthOfColumns;
    const std::int64_t count = std::max<std::int64_t>(1, (shape.rows + most - 1) / most);
    step = (shape.rows + count - 1) / count;
  }
};

}  // namespace

bool linear_bwd_weight_takes(const LinearShape& shape) {
  return shape.in % kGemmTileRows == 0 && shape.out % 4 == 0 && shape.rows > 0;
}

std::int64_t linear_bwd_weight_unit(const LinearShape& shape) {
  return std::max(shape.in, shape.out) < kFewSlices * kUnit ? kUnit / 2 : kUnit;
}

std::int64_t linear_bwd_weight_scratch(const LinearShape& shape) {
  return linear_bwd_weight_unit(shape) * Depths(shape).step;
}

void linear_bwd_weight_f32(const LinearShape& shape, const float* x, const float* dy, float* dw, float* db,
                           std::int64_t begin, std::int64_t end, float* scratch) {
  const Depths depths(shape);
  const std::int64_t unit_width = linear_bwd_weight_unit(shape);
  const bool in_place = gemm_spreads_over_l1(shape.out);
  for (std::int64_t unit = begin; unit < end; unit += unit_width) {
    const std::int64_t width = std::min(unit_width, end - unit);
    GemmBlock block;
    block.c.panel_depth = shape.in;
    for (std::int64_t m = 0; m < shape.rows; m += depths.step) {
      block.depth = block.b_depth = std::min(depths.step, shape.rows - m);
      block.accumulate = m > 0;
      const float* x_rows = x + m * shape.in;
      const float* dy_rows = dy + m * shape.out;
      if (shape.slices_rows()) {
        gemm_pack_a_trans_f32(width, block.depth, x_rows + unit, shape.in, scratch);
        block.rows = width;
        block.cols = shape.out;
        block.a = scratch;
        block.b = dy_rows;
        block.b_step = shape.out;
        block.c.data = dw;
        block.c.first_row = unit;
        block.b_group = 1;
      } else {
        block.rows = shape.in;
        block.cols = width;
        block.a = x_rows;
        block.a_step = shape.in;
        block.c.data = dw + unit * shape.in;
        if (in_place) {
          block.b = dy_rows + unit;
          block.b_step = shape.out;
        } else {
          gemm_pack_b_f32(block.depth, width, dy_rows + unit, shape.out, scratch);
          block.b = scratch;
        }
      }
      gemm_block_f32(block);
      if (!db || shape.slices_rows()) continue;
      if (in_place) {  // the lines are in L1 by now
        gemm_column_sums_f32(block.depth, width, block.b, shape.out, db + unit, block.accumulate);
      } else {
        gemm_panel_sums_f32(block.depth, width, scratch, db + unit, block.accumulate);
      }
    }
  }
}

}  // namespace bramble::kernels
