// The backward of a 1 x 1 convolution with stride 1: both gradients and, where a BatchNorm lies before it, that one's
// sums come from one node, so that dy and x cross the bus once.
#pragma once

#include <optional>

#include "graph/activation.h"
#include "graph/backward_context.h"

namespace bramble::graph {

/// Elements of a weight whose gradient stays in a cache while both gradients are made in one pass over dy and x.
inline constexpr std::int64_t kSmallWeight = 24 << 10;

/// Inputs: dy [..., out], x [..., C], weight [out, C, 1, 1], optional addend (as x; + dx), and where x is normalised
/// (x' = f((x - mean) * scale + beta)) mean, scale, beta [C]; where dy comes from before a BatchNorm's backward, that
/// one's x (as dy) and coefficients [5, out]; where dx is some other BatchNorm's dy, that one's x, mean, scale, beta
/// and perhaps y; where x' is gated the gate [N, C]. Outputs: dx (as x; of x' where normalised, of x' times the gate
/// where gated), dw, db [out], and where normalised without a gate, or some other BatchNorm's, dx's channel sums.
class PointwiseConv2dBwd : public Op {
 public:
  /// The activations of the BatchNorms that x and dy come through and that dx goes to, if they do.
  explicit PointwiseConv2dBwd(std::optional<Activation> x_kind = {}, std::optional<Activation> dy_kind = {},
                              std::optional<Activation> dx_kind = {}, bool has_gate = false)
      : normalisation(x_kind), gradient_normalisation(dy_kind), sums_for(dx_kind), gated(has_gate) {}
  const std::optional<Activation> normalisation;
  const std::optional<Activation> gradient_normalisation;
  const std::optional<Activation> sums_for;
  const bool gated;

  std::string_view name() const override { return "pointwise_conv2d_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  int addend_input() const override { return 3; }
  OpPtr with_normalised_input(int x, Activation kind) const override;
  OpPtr with_gated_input(int x, Activation kind) const override;
  std::vector<NormalisedInput> normalised_inputs() const override { return {{1, 4, 14}}; }
  int channel_sums_output() const override { return (normalisation && !gated) || sums_for ? 3 : -1; }
  OpPtr with_normalised_gradient(std::span<const TensorSpec> inputs, Activation kind) const override;
  int gradient_input() const override { return 7; }
  OpPtr with_backward_sums(Activation kind) const override;
  int backward_sums_input() const override { return 9; }
  int weight_gradient_output() const override { return 1; }
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;
};

}  // namespace bramble::graph
