#include "graph/ops/lion.h"

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> Lion::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 4, 5);
  expect_shape(inputs[1], inputs[0].shape, "the gradient");
  expect_shape(inputs[2], {1}, "the learning rate");
  expect_shape(inputs[3], inputs[0].shape, "the mean");
  if (has_input(inputs, 4)) expect_shape(inputs[4], {1}, "the factor");
  return {};
}

}  // namespace bramble::graph
