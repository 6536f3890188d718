#include "graph/ops/blend.h"

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> Blend::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 3, 3);
  expect_shape(inputs[1], inputs[0].shape, "the added tensor");
  expect_shape(inputs[2], {2}, "the weights");
  return {};
}

}  // namespace bramble::graph
