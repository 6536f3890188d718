#include "graph/ops/linear.h"

#include <algorithm>
#include <utility>

#include "engine/bind/activation.h"
#include "engine/bind/convolution.h"
#include "engine/bind/linear_product.h"
#include "engine/bind/ops.h"
#include "engine/bind/product_cuts.h"
#include "engine/bind/weight_update.h"
#include "engine/layout.h"
#include "kernels/linear/linear.h"

namespace bramble::engine {
namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

const float* optional_in(const Operands& operands, int i, bool present) {
  return present ? operands.in<float>(i) : nullptr;
}

// What one slice covers of dw.
WeightUpdate::Block slice_block(const kernels::LinearShape& shape, std::int64_t begin, std::int64_t end) {
  if (shape.slices_rows()) return {0, 1, begin, end, 0, shape.out};
  return {0, 1, 0, shape.in, begin, end};
}

}  // namespace

Bound bind_linear(const BindContext& context) {
  const auto& attributes = context.op<graph::Linear>().attributes;
  const graph::Shape& x = context.input(0).shape;
  LinearProduct product(rows_of(x), attributes.out_features, x.back());
  product.a_stride = row_stride(context.input(0));
  product.c_stride = row_stride(context.output(0));
  const bool has_bias = context.has_input(2), has_residual = context.has_input(3), has_scale = context.has_input(4);
  return {{{product.tasks(),
            [=, kind = to_kernel(attributes.activation)](const Operands& o, std::int64_t task, std::byte*) {
              product.run(task, o.in<float>(0), o.in<float>(1), o.out<float>(0),
                          {optional_in(o, 2, has_bias), optional_in(o, 3, has_residual), o.out<float>(1), kind, nullptr,
                           optional_in(o, 4, has_scale)});
            }}}};
}

Bound bind_linear_bwd_weight(const BindContext& context) {
  const graph::Shape& x = context.input(0).shape;
  const kernels::LinearShape shape{rows_of(x), x.back(), context.input(1).shape.back(), row_stride(context.input(0)),
                                   row_stride(context.input(1))};
  if (!needs_gradient(context, 0)) return {{bias_gradient_phase(as_convolution(shape), {}, shape.dy_step())}};
  if (!linear_bwd_weight_takes(shape)) return bind_convolution_bwd_weight(context, as_convolution(shape));
  const std::int64_t unit = linear_bwd_weight_unit(shape);
  const std::int64_t width = std::max(shape.in, shape.out);
  const std::int64_t slices = ceil_div(width, unit);
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
  phase.tasks = slices;
  phase.run = [=](const Operands& o, std::int64_t task, std::byte* thread_scratch) {
    const std::int64_t begin = task * unit, end = std::min(begin + unit, width);
    const float* packed = chunks > 0 ? reinterpret_cast<const float*>(o.shared) : nullptr;
    float* const work = reinterpret_cast<float*>(thread_scratch);
    const WeightUpdate::Block block = slice_block(shape, begin, end);
    kernels::GradientPanels dw = o.out<float>(0);
    if (update) dw = {work + scratch, block.row_end - block.row_begin, block.row_begin, block.col_begin};
    const auto multiply = [&](const kernels::GemmUpdate* by_tiles) {
      kernels::linear_bwd_weight_f32(shape, o.in<float>(0), o.in<float>(1), packed, dw, by_tiles, o.out<float>(1),
                                     begin, end, work);
    };
    if (!update.by_tiles()) {
      multiply(nullptr);
      if (update) update.apply(o, as_convolution(shape).weight(), block, dw.data);
      return;
    }
    multiply(&WeightUpdate::Tiles(update, o).gemm());
    const WeightUpdate::Block rest = block.narrow_panel();
    update.apply(o, as_convolution(shape).weight(), rest,
                 dw.data + (rest.col_begin - dw.first_col) * dw.rows_of(shape.in));
  };
  bound.phases.push_back(std::move(phase));
  const std::int64_t of_update = update ? slice_block(shape, 0, unit).floats() : 0;
  bound.thread_scratch = static_cast<std::size_t>(scratch + of_update) * sizeof(float);
  return bound;
}

}  // namespace bramble::engine
