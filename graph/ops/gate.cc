#include "graph/ops/gate.h"

#include <memory>

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> Gate::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 2);
  expect_rank(inputs[0], 4, "the input", "[N, H, W, C]");
  expect_rank(inputs[1], 4, "the gate", "[N, H, W, C]");
  const Shape& x = inputs[0].shape;
  const Shape& gate = inputs[1].shape;
  expect_shape(inputs[1], {x[0], gate[1], gate[2], x[3]}, "the gate");
  require(gate[1] <= x[1] && gate[2] <= x[2], "the gate " + to_string(gate) + " is larger than " + to_string(x));
  return {{x}};
}

void Gate::backward(BackwardContext& context) const {
  const auto gradients = context.emit(std::make_shared<GateBwd>(), {context.dy(0), context.input(0), context.input(1)});
  for (const int i : {0, 1})
    if (context.wants(i)) context.set_dx(i, gradients[static_cast<std::size_t>(i)]);
}

std::vector<TensorSpec> GateBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 3, 3);
  return {inputs[1], inputs[2]};
}

}  // namespace bramble::graph
