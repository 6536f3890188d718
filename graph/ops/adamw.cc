#include "graph/ops/adamw.h"

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> Adamw::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 6, 7);
  expect_shape(inputs[1], inputs[0].shape, "the gradient");
  expect_shape(inputs[2], {1}, "the learning rate");
  expect_shape(inputs[3], {2}, "the corrections");
  expect_shape(inputs[4], inputs[0].shape, "the mean");
  expect_shape(inputs[5], inputs[0].shape, "the variance");
  if (has_input(inputs, 6)) expect_shape(inputs[6], {1}, "the factor");
  return {};
}

}  // namespace bramble::graph
