#include <algorithm>

#include "kernels/gemm/transpose_tile_neon.h"
#include "kernels/linear/linear.h"
#include "kernels/linear/linear_scale.h"

namespace bramble::kernels {
namespace {

// Rows of dy that stay in L2 while the panels pass by: whole tiles.
constexpr std::int64_t kBlockRows = 18 * kGemmRowsTile;

// panels = terms [k, k + terms) of W transposed, for W's rows, dx's columns, [begin, end).
void transpose_terms(const LinearShape& shape, const float* weight, std::int64_t k, std::int64_t terms,
                     std::int64_t begin, std::int64_t end, float* panels) {
  for (std::int64_t col = begin; col < end; col += kGemmTileCols) {
    const std::int64_t exist = std::min(kGemmTileCols, shape.in - col), width = round_up(exist, 4);
    float* row = panels + (col - begin) * terms;
    std::int64_t count = 0;
    for (std::int64_t o = k; o < k + terms; o += count, row += count * width) {
      const std::int64_t first = o / kGemmTileCols * kGemmTileCols;
      const std::int64_t stored_width = std::min(kGemmTileCols, round_up(shape.out - first, 4));
      count = std::min(first + kGemmTileCols, k + terms) - o;
      transpose_tile_f32(weight + first * shape.in + col * stored_width + o - first, stored_width, exist, count, row,
                         width);
    }
  }
}

}  // namespace

void linear_transpose_weight_f32(const LinearShape& shape, const float* weight, const float* scale, std::int64_t begin,
                                 std::int64_t end, float* panels) {
  for (std::int64_t col = begin; col < end; col += kGemmTileCols) {
    const std::int64_t next = std::min(col + kGemmTileCols, end);
    transpose_terms(shape, weight, 0, shape.out, col, next, panels + col * shape.out);
    if (scale) linear_scale_rows_f32(shape.out, next - col, scale, panels + col * shape.out);
  }
}

std::int64_t linear_bwd_data_transposing_scratch(std::int64_t cols, std::int64_t depth_step) {
  return depth_step * round_up(cols, kGemmTileCols);
}

void linear_bwd_data_transposing_f32(const LinearShape& shape, const LinearBwdDataOperands& operands, float* dx,
                                     std::int64_t begin, std::int64_t end, std::int64_t depth_step, float* scratch) {
  for (std::int64_t k = 0; k < shape.out; k += depth_step) {
    const std::int64_t terms = std::min(depth_step, shape.out - k);
    transpose_terms(shape, operands.weight, k, terms, begin, end, scratch);
    if (operands.scale) linear_scale_rows_f32(terms, end - begin, operands.scale + k, scratch);
    for (std::int64_t row = 0; row < shape.rows; row += kBlockRows) {
      const std::int64_t at = row * shape.x_step() + begin;
      GemmRows product;
      product.rows = std::min(kBlockRows, shape.rows - row);
      product.cols = end - begin;
      product.depth = terms;
      product.depth_step = round_up(terms, 4);
      product.a = operands.dy + row * shape.dy_step() + k;
      product.a_stride = shape.dy_step();
      product.b = scratch;
      product.b_depth = terms;
      product.c = dx + at;
      product.c_stride = shape.x_step();
      product.accumulate = k > 0;
      GemmEpilogue epilogue;
      if (k + terms == shape.out) {
        if (operands.addend) epilogue.residual = operands.addend + at;
        if (operands.gelu_input) epilogue.gelu_input = operands.gelu_input + at;
      }
      gemm_rows_f32(product, epilogue);
    }
  }
}

}  // namespace bramble::kernels
