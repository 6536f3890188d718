#include "graph/ops/sgd.h"

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> Sgd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 3, 4);
  expect_shape(inputs[kGrad], inputs[kParam].shape, "the gradient");
  require(inputs[kGrad].layout == inputs[kParam].layout && inputs[kGrad].groups == inputs[kParam].groups,
          "the gradient has to lie in memory as its parameter does");
  expect_shape(inputs[kRate], {1}, "the learning rate");
  require(has_input(inputs, kBuffer) == (attributes_.momentum != 0), "a momentum buffer goes with a momentum");
  require(!attributes_.nesterov || attributes_.momentum > 0, "Nesterov's update needs a momentum");
  if (has_input(inputs, kBuffer)) expect_shape(inputs[kBuffer], inputs[kParam].shape, "the momentum buffer");
  return {};
}

std::vector<int> Sgd::mutated_inputs() const {
  if (attributes_.momentum == 0) return {kParam};
  return {kParam, kBuffer};
}

}  // namespace bramble::graph
