#include "graph/ops/scale.h"

#include <memory>

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> Scale::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 2);
  expect_shape(inputs[1], {inputs[0].shape.back()}, "gamma");
  return {inputs[0]};
}

void Scale::backward(BackwardContext& context) const {
  const auto gradients =
      context.emit(std::make_shared<ScaleBwd>(), {context.dy(0), context.input(0), context.input(1)});
  for (const int i : {0, 1})
    if (context.wants(i)) context.set_dx(i, gradients[static_cast<std::size_t>(i)]);
}

std::vector<TensorSpec> ScaleBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 3, 3);
  return {inputs[1], inputs[2]};
}

}  // namespace bramble::graph
