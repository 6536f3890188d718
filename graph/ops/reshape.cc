#include "graph/ops/reshape.h"

#include <memory>

#include "graph/backward_context.h"
#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> Reshape::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  require(inputs[0].layout == Layout::dense, "only a dense tensor can take another shape");
  require(element_count(inputs[0].shape) == element_count(shape_),
          to_string(inputs[0].shape) + " has not as many values as " + to_string(shape_));
  TensorSpec y = inputs[0];
  y.shape = shape_;
  return {y};
}

void Reshape::backward(BackwardContext& context) const {
  if (!context.wants(0)) return;
  context.set_dx(0, context.emit(std::make_shared<Reshape>(context.input_spec(0).shape), {context.dy(0)})[0]);
}

}  // namespace bramble::graph
