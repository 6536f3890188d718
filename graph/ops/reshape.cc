#include "graph/ops/reshape.h"

#include <memory>

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> Reshape::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  if (element_count(shape_) != element_count(inputs[0].shape))
    throw ShapeError(to_string(inputs[0].shape) + " has not as many values as " + to_string(shape_));
  return {{shape_, inputs[0].dtype}};
}

void Reshape::backward(BackwardContext& context) const {
  context.set_dx(0, context.emit(std::make_shared<Reshape>(context.input_spec(0).shape), {context.dy(0)})[0]);
}

}  // namespace bramble::graph
