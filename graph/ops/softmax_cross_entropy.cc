#include "graph/ops/softmax_cross_entropy.h"

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> SoftmaxCrossEntropy::infer(std::span<const TensorSpec> inputs) const {
  const bool mixed = inputs.size() > 2;
  expect_inputs(inputs, mixed ? 4 : 2, mixed ? 4 : 2);
  expect_rank(inputs[0], 2, "the logits", "[N, classes]");
  expect_shape(inputs[1], {inputs[0].shape[0]}, "the labels");
  if (inputs[1].dtype != DType::i32) throw ShapeError("the labels must be i32");
  if (mixed) {
    expect_shape(inputs[2], {inputs[0].shape[0]}, "the other labels");
    expect_shape(inputs[3], {inputs[0].shape[0]}, "the labels' shares");
    if (inputs[2].dtype != DType::i32) throw ShapeError("the other labels must be i32");
  }
  return {{{1}}, inputs[0]};
}

void SoftmaxCrossEntropy::backward(BackwardContext& context) const {
  if (context.dy(0) != kNoTensor) throw ShapeError("the loss must be the graph's last value");
  context.set_dx(0, context.output(1));
}

}  // namespace bramble::graph
