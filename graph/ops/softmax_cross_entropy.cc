#include "graph/ops/softmax_cross_entropy.h"

#include "graph/backward_context.h"
#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> SoftmaxCrossEntropy::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 2);
  const TensorSpec& logits = inputs[0];
  require(logits.shape.size() == 2, "logits are " + to_string(logits.shape) + ", but have to be [N, classes]");
  expect_shape(inputs[1], {logits.shape[0]}, "labels");
  require(inputs[1].dtype == DType::i32, "labels have to be i32");
  require(attributes_.label_smoothing >= 0 && attributes_.label_smoothing <= 1,
          "label smoothing has to be between 0 and 1");
  return {{{1}}, logits};
}

void SoftmaxCrossEntropy::backward(BackwardContext& context) const {
  if (context.wants(0)) context.set_dx(0, context.output(kDlogits));
}

}  // namespace bramble::graph
