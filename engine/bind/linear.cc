#include "graph/ops/linear.h"

#include <algorithm>
#include <utility>

#include "engine/bind/activation.h"
#include "engine/bind/convolution.h"
#include "engine/bind/ops.h"
#include "engine/bind/product_cuts.h"
#include "kernels/column_sum/column_sum.h"
#include "kernels/linear/linear.h"

namespace bramble::engine {
namespace {

using kernels::GemmEpilogue;
using kernels::kGemmRowsTile;
using kernels::kGemmTileCols;

// A task's rows of A, read again for each group of B panels, stay in half of L2.
constexpr std::int64_t kTaskFloats = (256 << 10) / sizeof(float);
// Weights beyond this do not stay in a core's share of L3. Every row task streams all that its columns need of them, so
// they are cut into blocks both ways: this high and this wide, C's block and a step of A's and B's depth fit L2.
constexpr std::int64_t kLargeWeight = (512 << 10) / sizeof(float);
constexpr std::int64_t kBlockTiles = 16;
constexpr std::int64_t kBlockPanels = 16;
// Columns that one task of a bias gradient sums.
constexpr std::int64_t kSumCols = 64;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// C = A * B for all leading dimensions of A as rows.
struct Product {
  std::int64_t rows, cols, depth;
  std::int64_t row_tasks, col_tasks;

  Product(std::int64_t product_rows, std::int64_t product_cols, std::int64_t product_depth)
      : rows(product_rows), cols(product_cols), depth(product_depth) {
    if (cols * depth > kLargeWeight) {
      row_tasks = ceil_div(tiles(), kBlockTiles);
      if (row_tasks > 2) row_tasks = kernels::round_up(row_tasks, 4);
      col_tasks = std::min(std::max(ceil_div(panels(), kBlockPanels), ceil_div(kTaskGoal, row_tasks)), panels());
      return;
    }
    // Whole columns, so that A is fetched once; narrower only where there are too few rows for four cores. A multiple
    // of four row tasks, which differ by one tile at most.
    const std::int64_t goal = std::max(kTaskGoal, ceil_div(rows * depth, kTaskFloats));
    row_tasks = std::min(kernels::round_up(goal, 4), tiles());
    col_tasks = std::clamp<std::int64_t>(kTaskGoal / row_tasks, 1, panels());
  }

  std::int64_t tiles() const { return ceil_div(rows, kGemmRowsTile); }
  std::int64_t panels() const { return ceil_div(cols, kGemmTileCols); }
  std::int64_t tasks() const { return row_tasks * col_tasks; }
  std::int64_t row(std::int64_t task) const { return std::min(tiles() * task / row_tasks * kGemmRowsTile, rows); }
  std::int64_t col(std::int64_t task) const {
    return std::min(panels() * task / col_tasks * kGemmTileCols, cols);
  }

  void run(std::int64_t task, const float* a, const float* b, float* c, GemmEpilogue epilogue) const {
    const std::int64_t row_begin = row(task % row_tasks), row_end = row(task % row_tasks + 1);
    const std::int64_t col_begin = col(task / row_tasks), col_end = col(task / row_tasks + 1);
    const std::int64_t at = row_begin * cols + col_begin;
    if (epilogue.bias) epilogue.bias += col_begin;
    if (epilogue.residual) epilogue.residual += at;
    if (epilogue.preactivation) epilogue.preactivation += at;
    if (epilogue.gelu_input) epilogue.gelu_input += at;
    kernels::GemmRows product;
    product.rows = row_end - row_begin;
    product.cols = col_end - col_begin;
    product.depth = depth;
    const std::int64_t sums = std::max<std::int64_t>(1, ceil_div(depth, kernels::kGemmRowsDepth));
    product.depth_step = kernels::round_up(ceil_div(depth, sums), 4);
    product.a = a + row_begin * depth;
    product.a_stride = depth;
    product.b = b + col_begin * depth;
    product.b_depth = depth;
    product.c = c + at;
    product.c_stride = cols;
    kernels::gemm_rows_f32(product, epilogue);
  }
};

std::int64_t rows_of(const graph::Shape& shape) { return graph::element_count(shape) / shape.back(); }

const float* optional_in(const Operands& operands, int i, bool present) {
  return present ? operands.in<float>(i) : nullptr;
}

// All leading dimensions are one row of pixels.
kernels::Conv2dShape as_convolution(const kernels::LinearShape& linear) {
  kernels::Conv2dShape shape;
  shape.in_channels = linear.in;
  shape.in_width = linear.rows;
  shape.out_channels = linear.out;
  return shape;
}

}  // namespace

Bound bind_linear(const BindContext& context) {
  const auto& attributes = context.op<graph::Linear>().attributes;
  const graph::Shape& x = context.input(0).shape;
  const Product product(rows_of(x), attributes.out_features, x.back());
  const bool has_bias = context.has_input(2), has_residual = context.has_input(3);
  return {{{product.tasks(),
            [=, kind = to_kernel(attributes.activation)](const Operands& o, std::int64_t task, std::byte*) {
              product.run(task, o.in<float>(0), o.in<float>(1), o.out<float>(0),
                          {optional_in(o, 2, has_bias), optional_in(o, 3, has_residual), o.out<float>(1), kind});
            }}}};
}

Bound bind_linear_bwd_data(const BindContext& context) {
  const graph::Shape& dy = context.input(0).shape;
  const graph::Shape& dx = context.output(0).shape;
  const Product product(rows_of(dy), dx.back(), dy.back());
  const bool has_addend = context.has_input(2), has_gelu = context.has_input(3);
  Bound bound;
  const kernels::Conv2dShape transposed = as_convolution({product.rows, product.cols, product.depth});
  bound.shared_scratch =
      static_cast<std::size_t>(kernels::conv2d_bwd_data_weight_elements(transposed)) * sizeof(float);
  bound.phases.push_back(pack_transposed_phase(transposed, 1));
  bound.phases.push_back({product.tasks(), [=](const Operands& o, std::int64_t task, std::byte*) {
                            GemmEpilogue epilogue;
                            epilogue.residual = optional_in(o, 2, has_addend);
                            epilogue.gelu_input = optional_in(o, 3, has_gelu);
                            product.run(task, o.in<float>(0), reinterpret_cast<const float*>(o.shared), o.out<float>(0),
                                        epilogue);
                          }});
  return bound;
}

Bound bind_linear_bwd_weight(const BindContext& context) {
  const graph::Shape& x = context.input(0).shape;
  const kernels::LinearShape shape{rows_of(x), x.back(), context.input(1).shape.back()};
  if (!context.has_output(0) || !linear_bwd_weight_takes(shape)) {
    return bind_convolution_bwd_weight(context, as_convolution(shape));
  }
  const std::int64_t unit = linear_bwd_weight_unit(shape);
  const std::int64_t width = std::max(shape.in, shape.out);
  const std::int64_t slices = ceil_div(width, unit);
  // Slices of rows leave the bias' gradient to tasks of its own.
  const std::int64_t sums = shape.slices_rows() && context.has_output(1) ? ceil_div(shape.out, kSumCols) : 0;
  const std::int64_t chunks = kernels::linear_bwd_weight_chunks(shape);
  Bound bound;
  bound.shared_scratch = static_cast<std::size_t>(kernels::linear_bwd_weight_packed_floats(shape)) * sizeof(float);
  if (chunks > 0) {
    bound.phases.push_back({chunks, [=](const Operands& o, std::int64_t chunk, std::byte*) {
                              kernels::linear_bwd_weight_pack_f32(shape, chunk, o.in<float>(0), o.in<float>(1),
                                                                  reinterpret_cast<float*>(o.shared));
                            }});
  }
  Phase phase;
  phase.tasks = slices + sums;
  phase.run = [=](const Operands& o, std::int64_t task, std::byte* thread_scratch) {
    if (task < slices) {
      const std::int64_t begin = task * unit;
      const float* packed = chunks > 0 ? reinterpret_cast<const float*>(o.shared) : nullptr;
      return kernels::linear_bwd_weight_f32(shape, o.in<float>(0), o.in<float>(1), packed, o.out<float>(0),
                                            o.out<float>(1), begin, std::min(begin + unit, width),
                                            reinterpret_cast<float*>(thread_scratch));
    }
    const auto out = static_cast<std::size_t>(shape.out);
    const auto col = static_cast<std::size_t>((task - slices) * kSumCols);
    kernels::column_sum_f32(0, static_cast<std::size_t>(shape.rows), col, std::min(col + kSumCols, out), out,
                            o.in<float>(1), o.out<float>(1));
  };
  bound.phases.push_back(std::move(phase));
  bound.thread_scratch = static_cast<std::size_t>(kernels::linear_bwd_weight_scratch(shape)) * sizeof(float);
  return bound;
}

}  // namespace bramble::engine
