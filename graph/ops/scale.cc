#include "graph/ops/scale.h"

#include <memory>

#include "graph/backward_context.h"
#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> Scale::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 2);
  expect_shape(inputs[1], {inputs[0].shape.back()}, "gamma");
  return {inputs[0]};
}

void Scale::backward(BackwardContext& context) const {
  if (!context.wants(0) && !context.wants(1)) return;
  const auto gradients =
      context.emit(std::make_shared<ScaleBwd>(), {context.dy(0), context.input(0), context.input(1)});
  if (context.wants(0)) context.set_dx(0, gradients[ScaleBwd::kDx]);
  if (context.wants(1)) context.set_dx(1, gradients[ScaleBwd::kDgamma]);
}

std::vector<TensorSpec> ScaleBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 3, 3);
  expect_shape(inputs[kX], inputs[kDy].shape, "x");
  expect_shape(inputs[kGamma], {inputs[kX].shape.back()}, "gamma");
  return {inputs[kDy], inputs[kGamma]};
}

}  // namespace bramble::graph
