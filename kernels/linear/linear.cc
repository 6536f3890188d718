#include "kernels/linear/linear.h"

#include <algorithm>

#include "kernels/gemm/gemm.h"

namespace bramble::kernels {
namespace {

// 48 columns, packed this deep, are 36 KiB of L1, 24 KiB where the other operand's lines are read beside them at
// strides that its sets do not spread evenly. Half as many columns where there would be too few slices for four cores:
// more of them, and the other operand passes by more often.
constexpr std::int64_t kUnit = 48;
constexpr std::int64_t kFewSlices = 8, kCores = 4;
constexpr std::int64_t kDepthOfColumns = 192;
constexpr std::int64_t kDepthOfRows = 128;
// A slice of dw comes back after each step of the depth: it stays in L2 (448 of 512 KiB) if the other operand's rows
// that pass by meanwhile leave it the room. They may be fewer for that, down to 64.
constexpr std::int64_t kL2Floats = (448 << 10) / sizeof(float);
constexpr std::int64_t kShallowest = 64;
// A slice of rows of a large dw goes to memory and back after each step, and the steps are long: it meets all of a
// large packed dy, and in a whole dw it is a few lines of each panel, which fall on each other in L2. A panel of B this
// deep is 19 KiB of L1.
constexpr std::int64_t kDepthOfPackedRows = 400;

bool packs_narrower(const LinearShape& shape) {
  return !gemm_spreads_over_l1(shape.slices_rows() ? shape.dy_step() : shape.x_step());
}

bool goes_to_memory(const LinearShape& shape) { return shape.slices_rows() && packs_narrower(shape); }

std::int64_t deepest(const LinearShape& shape) {
  if (goes_to_memory(shape)) return kDepthOfPackedRows;
  const std::int64_t fitting = kL2Floats / std::min(shape.in, shape.out) - linear_bwd_weight_unit(shape);
  return std::min(shape.slices_rows() ? kDepthOfRows : kDepthOfColumns, std::max(fitting, kShallowest));
}

std::int64_t depth_step(const LinearShape& shape) {
  const std::int64_t most = deepest(shape);
  const std::int64_t count = std::max<std::int64_t>(1, (shape.rows + most - 1) / most);
  return (shape.rows + count - 1) / count;
}

struct Operands {
  const float* x;
  const float* dy;
  const float* packed;  // chunks of the narrower one's panels, or null
};

void multiply(const GemmBlock& block, const GemmUpdate* update) {
  if (update) return gemm_update_f32(block, *update);
  gemm_block_f32(block);
}

// The product of rows [m, m + block.depth) for a slice of dw's rows, of which x's columns are packed here unless they
// spread over L1 as they lie.
void multiply_rows(const LinearShape& shape, const Operands& operands, std::int64_t m, std::int64_t unit,
                   GemmBlock& block, const GemmUpdate* update, float* db, float* scratch) {
  block.a = operands.x + m * shape.x_step() + unit;
  if (gemm_spreads_over_l1(shape.x_step())) {
    block.a_step = shape.x_step();
  } else {
    gemm_pack_a_trans_f32(block.rows, block.depth, block.a, shape.x_step(), scratch);
    block.a = scratch;
  }
  block.b = operands.packed ? operands.packed + m * shape.out : operands.dy + m * shape.dy_step();
  block.b_step = operands.packed ? 0 : shape.dy_step();
  block.b_group = 1;
  multiply(block, update);
  if (!db || unit > 0) return;
  if (operands.packed) return gemm_panel_sums_f32(block.depth, block.cols, block.b, db, block.accumulate);
  gemm_column_sums_f32(block.depth, block.cols, block.b, shape.dy_step(), db, block.accumulate);
}

// The same for a slice of dw's columns, of which dy's are packed here unless they spread over L1 as they lie.
void multiply_columns(const LinearShape& shape, const Operands& operands, std::int64_t m, std::int64_t unit,
                      GemmBlock& block, const GemmUpdate* update, float* db, float* scratch) {
  block.a = operands.packed ? operands.packed + m * shape.in : operands.x + m * shape.x_step();
  block.a_step = operands.packed ? 0 : shape.x_step();
  block.b = operands.dy + m * shape.dy_step() + unit;
  if (gemm_spreads_over_l1(shape.dy_step())) {
    block.b_step = shape.dy_step();
    multiply(block, update);  // the lines are in L1 when the bias' gradient needs them
    if (db) gemm_column_sums_f32(block.depth, block.cols, block.b, shape.dy_step(), db + unit, block.accumulate);
    return;
  }
  gemm_pack_b_f32(block.depth, block.cols, block.b, shape.dy_step(), scratch);
  block.b = scratch;
  multiply(block, update);
  if (db) gemm_panel_sums_f32(block.depth, block.cols, scratch, db + unit, block.accumulate);
}

}  // namespace

bool linear_bwd_weight_takes(const LinearShape& shape) {
  return shape.in % kGemmTileRows == 0 && shape.out % 4 == 0 && shape.rows > 0;
}

std::int64_t linear_bwd_weight_unit(const LinearShape& shape) {
  const std::int64_t width = std::max(shape.in, shape.out);
  return width >= kFewSlices * kUnit || width == kCores * kUnit ? kUnit : kUnit / 2;
}

std::int64_t linear_bwd_weight_chunks(const LinearShape& shape) {
  if (!packs_narrower(shape)) return 0;
  const std::int64_t step = depth_step(shape);
  return (shape.rows + step - 1) / step;
}

std::int64_t linear_bwd_weight_packed_floats(const LinearShape& shape) {
  return linear_bwd_weight_chunks(shape) > 0 ? shape.rows * std::min(shape.in, shape.out) : 0;
}

void linear_bwd_weight_pack_f32(const LinearShape& shape, std::int64_t chunk, const float* x, const float* dy,
                                float* packed) {
  const std::int64_t m = chunk * depth_step(shape);
  const std::int64_t depth = std::min(depth_step(shape), shape.rows - m);
  if (shape.slices_rows()) {
    gemm_pack_b_f32(depth, shape.out, dy + m * shape.dy_step(), shape.dy_step(), packed + m * shape.out);
  } else {
    gemm_pack_a_trans_f32(shape.in, depth, x + m * shape.x_step(), shape.x_step(), packed + m * shape.in);
  }
}

std::int64_t linear_bwd_weight_scratch(const LinearShape& shape) {
  return linear_bwd_weight_unit(shape) * depth_step(shape);
}

void linear_bwd_weight_f32(const LinearShape& shape, const float* x, const float* dy, const float* packed,
                           const GradientPanels& dw, const GemmUpdate* update, float* db, std::int64_t begin,
                           std::int64_t end, float* scratch) {
  const std::int64_t step = depth_step(shape), unit_width = linear_bwd_weight_unit(shape);
  const Operands operands{x, dy, packed};
  for (std::int64_t unit = begin; unit < end; unit += unit_width) {
    const std::int64_t width = std::min(unit_width, end - unit);
    GemmBlock block;
    block.rows = shape.slices_rows() ? width : shape.in;
    block.cols = shape.slices_rows() ? shape.out : width;
    block.c.panel_depth = dw.rows_of(shape.in);
    block.c.cached = !goes_to_memory(shape);
    block.c.data = shape.slices_rows() ? dw.data : dw.data + (unit - dw.first_col) * block.c.panel_depth;
    block.c.first_row = shape.slices_rows() ? unit - dw.first_row : 0;
    GemmUpdate of_unit;
    if (update) {
      of_unit =
          shape.slices_rows() ? update->of_block(0, shape.in, unit) : update->of_block(unit * shape.in, shape.in, 0);
    }
    for (std::int64_t m = 0; m < shape.rows; m += step) {
      block.depth = block.b_depth = std::min(step, shape.rows - m);
      block.accumulate = m > 0;
      const GemmUpdate* const now = update && m + step >= shape.rows ? &of_unit : nullptr;
      if (shape.slices_rows()) {
        multiply_rows(shape, operands, m, unit, block, now, db, scratch);
      } else {
        multiply_columns(shape, operands, m, unit, block, now, db, scratch);
      }
    }
  }
}

}  // namespace bramble::kernels
