#include "graph/ops/linear_scale.h"

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> LinearScaleBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 3, 5);
  expect_shape(inputs[2], inputs[0].shape, "the weight");
  expect_shape(inputs[4], inputs[1].shape, "the scale");
  return {inputs[0], inputs[1], inputs[1]};
}

}  // namespace bramble::graph
