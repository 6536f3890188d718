// The backward of a 1 x 1 convolution with stride 1: both gradients and, where a BatchNorm lies before it, that one's
// sums come from one node, so that dy and x cross the bus once.
#pragma once

#include <optional>

#include "graph/activation.h"
#include "graph/backward_context.h"

namespace bramble::graph {

/// Inputs: dy [..., out], x [..., C], weight [out, C, 1, 1], optional addend (as x; + dx), and where x is normalised
/// (x' = f((x - mean) * scale + beta)) mean, scale, beta [C].
/// Outputs: dx (as x; of x' where normalised), dw, db [out], and where normalised dx's channel sums.
class PointwiseConv2dBwd : public Op {
 public:
  explicit PointwiseConv2dBwd(std::optional<Activation> kind = {}) : normalisation(kind) {}
  const std::optional<Activation> normalisation;

  std::string_view name() const override { return "pointwise_conv2d_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  int addend_input() const override { return 3; }
  OpPtr with_normalised_input(Activation kind) const override;
  NormalisedInput normalised_input() const override { return {1, 4}; }
  int channel_sums_output() const override { return normalisation ? 3 : -1; }
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;
};

}  // namespace bramble::graph
