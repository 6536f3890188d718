// Depthwise 2-d convolution over NHWC: each channel with a kernel of its own; y = f(conv(x, weight) + bias).
#pragma once

#include <optional>

#include "graph/activation.h"
#include "graph/backward_context.h"
#include "graph/extent2d.h"

namespace bramble::graph {

struct DepthwiseConv2dAttributes {
  int kernel_h = 3;
  int kernel_w = 3;
  int stride = 1;
  Extent2d padding = 1;
  int dilation = 1;
  Activation activation = Activation::none;   ///< none, relu or relu6
  int extra_padding = 0;  ///< more of it below and at the right, as TensorFlow has it
  std::optional<Activation> normalisation{};  ///< x is read through a BatchNorm with this activation
};

/// Inputs: x [N, H, W, C], weight [C, 1, KH, KW], optional bias [C], where x is normalised mean, scale, beta [C].
/// Outputs: y [N, OH, OW, C]; its channel sums.
class DepthwiseConv2d : public Op {
 public:
  explicit DepthwiseConv2d(const DepthwiseConv2dAttributes& values) : attributes(values) {}
  const DepthwiseConv2dAttributes attributes;

  std::string_view name() const override { return "depthwise_conv2d"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  std::shared_ptr<const Op> with_activation(Activation kind, bool has_addend) const override;
  OpPtr with_normalised_input(int x, Activation kind) const override;
  std::vector<NormalisedInput> normalised_inputs() const override { return {{0, 3}}; }
  int channel_sums_output() const override { return attributes.activation == Activation::none ? 1 : -1; }
  bool takes_part(int input) const override { return input == 0; }
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;
};

/// Both gradients, so that dy and x cross the bus once. Inputs: dy, x, weight, where x is normalised
/// (x' = f((x - mean) * scale + beta)) mean, scale, beta [C]; where dy comes from before a BatchNorm's backward, that
/// one's x (as dy) and coefficients [5, C]; optional addend (as x).
/// Outputs: dx + addend (of x' where normalised), dw (as the weight), db [C], and where normalised dx's channel sums.
class DepthwiseConv2dBwd : public Op {
 public:
  /// `products`: how many of dx and dw are wanted. `dy_kind`: the activation of the BatchNorm that dy comes through, if
  /// so.
  DepthwiseConv2dBwd(const DepthwiseConv2dAttributes& values, int products, std::optional<Activation> dy_kind = {})
      : attributes(values), gradient_normalisation(dy_kind), products_(products) {}
  const DepthwiseConv2dAttributes attributes;
  const std::optional<Activation> gradient_normalisation;

  std::string_view name() const override { return "depthwise_conv2d_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  OpPtr with_normalised_input(int x, Activation kind) const override;
  std::vector<NormalisedInput> normalised_inputs() const override { return {{1, 3}}; }
  int channel_sums_output() const override { return attributes.normalisation ? 3 : -1; }
  OpPtr with_normalised_gradient(std::span<const TensorSpec> inputs, Activation kind) const override;
  int gradient_input() const override { return 6; }
  int addend_input() const override { return kAddend; }
  bool takes_part(int input) const override {
    return input == 0 || (input == 1 && !attributes.normalisation) || input == kAddend;
  }
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;

 private:
  static constexpr int kAddend = 8;
  int products_;
};

}  // namespace bramble::graph
