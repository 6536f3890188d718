#include "graph/ops/sgd.h"

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> Sgd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 3, 5);
  expect_shape(inputs[1], inputs[0].shape, "the gradient");
  expect_shape(inputs[2], {1}, "the learning rate");
  if (attributes.momentum != 0 && !has_input(inputs, 3)) throw ShapeError("momentum needs a buffer");
  if (has_input(inputs, 3)) expect_shape(inputs[3], inputs[0].shape, "the momentum");
  if (has_input(inputs, 4)) expect_shape(inputs[4], {1}, "the factor");
  return {};
}

}  // namespace bramble::graph
