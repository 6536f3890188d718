#include <algorithm>

#include "engine/bind/linear_product.h"
#include "engine/bind/ops.h"
#include "engine/bind/product_cuts.h"
#include "engine/layout.h"
#include "graph/ops/linear.h"
#include "kernels/linear/linear.h"

namespace bramble::engine {
namespace {

enum Input { kDy, kWeight, kAddend, kGeluInput, kScale };

// Columns that a task transposes at a time, a step of the depth high: 192 KiB.
constexpr std::int64_t kMostTransposedCols = 192;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// The inputs that a node may lack.
class Optional {
 public:
  explicit Optional(const BindContext& context)
      : has_addend_(context.has_input(kAddend)),
        has_gelu_(context.has_input(kGeluInput)),
        has_scale_(context.has_input(kScale)) {}

  const float* addend(const Operands& o) const { return has_addend_ ? o.in<float>(kAddend) : nullptr; }
  const float* gelu_input(const Operands& o) const { return has_gelu_ ? o.in<float>(kGeluInput) : nullptr; }
  const float* scale(const Operands& o) const { return has_scale_ ? o.in<float>(kScale) : nullptr; }

 private:
  bool has_addend_, has_gelu_, has_scale_;
};

/// The weight transposed as a whole, into the shared scratch.
Phase transposing_phase(const kernels::LinearShape& shape, const Optional& optional) {
  const std::int64_t panels = ceil_div(shape.in, kernels::kGemmTileCols), tasks = std::min(panels, kTaskGoal);
  return {tasks, [=](const Operands& o, std::int64_t task, std::byte*) {
            kernels::linear_transpose_weight_f32(
                shape, o.in<float>(kWeight), optional.scale(o), panels * task / tasks * kernels::kGemmTileCols,
                std::min(panels * (task + 1) / tasks * kernels::kGemmTileCols, shape.in),
                reinterpret_cast<float*>(o.shared));
          }};
}

/// The weight as it is stored, each task with all rows.
Bound bind_transposing(const BindContext& context, const kernels::LinearShape& shape) {
  const std::int64_t step = even_columns(shape.rows, shape.in, kMostTransposedCols);
  const std::int64_t depth_step = LinearProduct(shape.rows, shape.in, shape.out).depth_step();
  const Optional optional(context);
  Bound bound;
  bound.phases.push_back({(shape.in + step - 1) / step, [=](const Operands& o, std::int64_t task, std::byte* scratch) {
                            const kernels::LinearBwdDataOperands operands{o.in<float>(kDy), o.in<float>(kWeight),
                                                                          optional.scale(o), optional.addend(o),
                                                                          optional.gelu_input(o)};
                            kernels::linear_bwd_data_transposing_f32(shape, operands, o.out<float>(0), task * step,
                                                                     std::min((task + 1) * step, shape.in), depth_step,
                                                                     reinterpret_cast<float*>(scratch));
                          }});
  bound.thread_scratch =
      static_cast<std::size_t>(kernels::linear_bwd_data_transposing_scratch(step, depth_step)) * sizeof(float);
  return bound;
}

}  // namespace

Bound bind_linear_bwd_data(const BindContext& context) {
  const graph::Shape& dy = context.input(0).shape;
  const graph::Shape& dx = context.output(0).shape;
  const kernels::LinearShape shape{rows_of(dy), dx.back(), dy.back(), row_stride(context.output(0)),
                                   row_stride(context.input(kDy))};
  if (transposes_by_columns(shape.rows, shape.in, shape.in * shape.out)) return bind_transposing(context, shape);
  LinearProduct product(shape.rows, shape.in, shape.out);
  product.a_stride = shape.dy_step();
  product.c_stride = shape.x_step();
  const Optional optional(context);
  Bound bound;
  bound.shared_scratch = static_cast<std::size_t>(kernels::packed_weight_elements(shape.out, shape.in)) * sizeof(float);
  bound.phases.push_back(transposing_phase(shape, optional));
  bound.phases.push_back({product.tasks(), [=](const Operands& o, std::int64_t task, std::byte*) {
                            kernels::GemmEpilogue epilogue;
                            epilogue.residual = optional.addend(o);
                            epilogue.gelu_input = optional.gelu_input(o);
                            product.run(task, o.in<float>(kDy), reinterpret_cast<const float*>(o.shared),
                                        o.out<float>(0), epilogue);
                          }});
  return bound;
}

}  // namespace bramble::engine
