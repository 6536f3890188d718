#include "graph/ops/linear.h"

#include <algorithm>
#include <utility>

#include "engine/bind/activation.h"
#include "engine/bind/convolution.h"
#include "engine/bind/linear_product.h"
#include "engine/bind/ops.h"
#include "engine/bind/product_cuts.h"
#include "engine/bind/weight_update.h"
#include "kernels/column_sum/column_sum.h"
#include "kernels/linear/linear.h"
#include "kernels/linear/linear_scale.h"

namespace bramble::engine {
namespace {

// Columns that one task of a bias gradient sums.
constexpr std::int64_t kSumCols = 64;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

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

// What one slice covers of dw.
WeightUpdate::Block slice_block(const kernels::LinearShape& shape, std::int64_t begin, std::int64_t end) {
  if (shape.slices_rows()) return {0, 1, begin, end, 0, shape.out};
  return {0, 1, 0, shape.in, begin, end};
}

// The transposed weight's rows times input `scale`, panels in tasks of their own.
Phase scale_transposed_phase(const LinearProduct& product, int scale) {
  const std::int64_t panels = ceil_div(product.cols, kernels::kGemmTileCols);
  const std::int64_t tasks = std::min(panels, kTaskGoal);
  return {tasks, [=](const Operands& o, std::int64_t task, std::byte*) {
            const std::int64_t begin = panels * task / tasks * kernels::kGemmTileCols;
            const std::int64_t end = std::min(panels * (task + 1) / tasks * kernels::kGemmTileCols, product.cols);
            kernels::linear_scale_rows_f32(product.depth, end - begin, o.in<float>(scale),
                                           reinterpret_cast<float*>(o.shared) + begin * product.depth);
          }};
}

}  // namespace

Bound bind_linear(const BindContext& context) {
  const auto& attributes = context.op<graph::Linear>().attributes;
  const graph::Shape& x = context.input(0).shape;
  const LinearProduct product(rows_of(x), attributes.out_features, x.back());
  const bool has_bias = context.has_input(2), has_residual = context.has_input(3), has_scale = context.has_input(4);
  return {{{product.tasks(),
            [=, kind = to_kernel(attributes.activation)](const Operands& o, std::int64_t task, std::byte*) {
              product.run(task, o.in<float>(0), o.in<float>(1), o.out<float>(0),
                          {optional_in(o, 2, has_bias), optional_in(o, 3, has_residual), o.out<float>(1), kind, nullptr,
                           optional_in(o, 4, has_scale)});
            }}}};
}

Bound bind_linear_bwd_data(const BindContext& context) {
  const graph::Shape& dy = context.input(0).shape;
  const graph::Shape& dx = context.output(0).shape;
  const LinearProduct product(rows_of(dy), dx.back(), dy.back());
  const bool has_addend = context.has_input(2), has_gelu = context.has_input(3);
  const kernels::Conv2dShape transposed = as_convolution({product.rows, product.cols, product.depth});
  if (transposes_on_the_way(transposed) && !has_gelu && !context.has_input(4))
    return bind_transposing_bwd_data(context, transposed, product.depth_step());
  Bound bound;
  bound.shared_scratch = static_cast<std::size_t>(kernels::conv2d_bwd_data_weight_elements(transposed)) * sizeof(float);
  bound.phases.push_back(pack_transposed_phase(transposed, 1));
  if (context.has_input(4)) bound.phases.push_back(scale_transposed_phase(product, 4));
  bound.phases.push_back({product.tasks(), [=](const Operands& o, std::int64_t task, std::byte*) {
                            kernels::GemmEpilogue epilogue;
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
  if (!needs_gradient(context, 0) || !linear_bwd_weight_takes(shape)) {
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
  const WeightUpdate update(context);
  const std::int64_t scratch = kernels::round_up(kernels::linear_bwd_weight_scratch(shape), 16);
  Phase phase;
  phase.tasks = slices + sums;
  phase.run = [=](const Operands& o, std::int64_t task, std::byte* thread_scratch) {
    if (task < slices) {
      const std::int64_t begin = task * unit, end = std::min(begin + unit, width);
      const float* packed = chunks > 0 ? reinterpret_cast<const float*>(o.shared) : nullptr;
      float* const work = reinterpret_cast<float*>(thread_scratch);
      const WeightUpdate::Block block = slice_block(shape, begin, end);
      kernels::GradientPanels dw = o.out<float>(0);
      if (update) dw = {work + scratch, block.row_end - block.row_begin, block.row_begin, block.col_begin};
      kernels::linear_bwd_weight_f32(shape, o.in<float>(0), o.in<float>(1), packed, dw, o.out<float>(1), begin, end,
                                     work);
      if (update) update.apply(o, as_convolution(shape).weight(), block, dw.data);
      return;
    }
    const auto out = static_cast<std::size_t>(shape.out);
    const auto col = static_cast<std::size_t>((task - slices) * kSumCols);
    kernels::column_sum_f32(0, static_cast<std::size_t>(shape.rows), col, std::min(col + kSumCols, out), out,
                            o.in<float>(1), o.out<float>(1));
  };
  bound.phases.push_back(std::move(phase));
  const std::int64_t of_update = update ? slice_block(shape, 0, unit).floats() : 0;
  bound.thread_scratch = static_cast<std::size_t>(scratch + of_update) * sizeof(float);
  return bound;
}

}  // namespace bramble::engine
