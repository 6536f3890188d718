// The mean over the batch of the cross entropy between softmax(logits) and the labels, optionally smoothed and
// mixed (mixup):
//   target = (1 - smoothing) * (share * onehot(label) + (1 - share) * onehot(other)) + smoothing / classes
#pragma once

#include "graph/backward_context.h"

namespace bramble::graph {

struct SoftmaxCrossEntropyAttributes {
  float label_smoothing = 0;
};

/// Inputs: logits [N, classes], labels [N] (i32); if mixed, other labels [N] (i32) and the first ones' shares [N].
/// Outputs: loss [1], dlogits = (softmax - target) / N.
/// The gradient of the loss is taken to be 1, so its backward is there already: dlogits.
class SoftmaxCrossEntropy : public Op {
 public:
  explicit SoftmaxCrossEntropy(const SoftmaxCrossEntropyAttributes& attributes) : attributes(attributes) {}
  const SoftmaxCrossEntropyAttributes attributes;

  std::string_view name() const override { return "softmax_cross_entropy"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
};

}  // namespace bramble::graph
