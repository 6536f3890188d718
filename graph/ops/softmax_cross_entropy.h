// The classification loss.
#pragma once

#include "graph/op.h"

namespace bramble::graph {

struct SoftmaxCrossEntropyAttributes {
  float label_smoothing = 0;  ///< PyTorch's: that share of the target is spread evenly over all classes
};

/// Inputs: logits [N, classes], labels [N] (i32). Outputs: loss [1], the mean over N; dlogits, the loss's gradient,
/// which the forward has at hand anyway.
class SoftmaxCrossEntropy : public Op {
 public:
  enum Output { kLoss, kDlogits };

  explicit SoftmaxCrossEntropy(SoftmaxCrossEntropyAttributes attributes) : attributes_(attributes) {}
  const SoftmaxCrossEntropyAttributes& attributes() const { return attributes_; }

  std::string_view name() const override { return "softmax_cross_entropy"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  /// Takes the gradient of the loss to be 1.
  void backward(BackwardContext& context) const override;

 private:
  SoftmaxCrossEntropyAttributes attributes_;
};

}  // namespace bramble::graph
