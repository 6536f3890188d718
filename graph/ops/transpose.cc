#include "graph/ops/transpose.h"

#include <memory>

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> Transpose::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 2);
  expect_rank(inputs[0], 3, "the input", "[N, L, C]");
  const Shape& x = inputs[0].shape;
  const Shape y = {x[0], x[2], x[1]};
  if (has_input(inputs, 1)) expect_shape(inputs[1], y, "the addend");
  return {{y}};
}

void Transpose::backward(BackwardContext& context) const {
  if (context.wants(0)) context.set_dx(0, context.emit(std::make_shared<Transpose>(), {context.dy(0)})[0]);
  if (context.wants(1)) context.set_dx(1, context.dy(0));
}

}  // namespace bramble::graph
