// 2-d convolution over NHWC, dense or grouped (depthwise has an op of its own), with what its epilogue can carry:
//   z = conv(x, weight) + bias + residual,  y = f(z)
#pragma once

#include <optional>

#include "graph/activation.h"
#include "graph/backward_context.h"

namespace bramble::graph {

struct Conv2dAttributes {
  int out_channels = 0;
  int kernel_h = 1;
  int kernel_w = 1;
  int stride = 1;
  int padding = 0;
  int dilation = 1;
  int groups = 1;
  Activation activation = Activation::none;
  int extra_padding = 0;                      ///< more of it below and at the right, as TensorFlow has it
  std::optional<Activation> normalisation{};  ///< x is read through a BatchNorm with this activation
  bool gated = false;                         ///< and times a gate
  bool frozen = false;                        ///< no gradient passes (Op::frozen)
};

/// Inputs: x [N, H, W, C], weight [out, C / groups, KH, KW], optional bias [out], optional residual [N, OH, OW, out],
/// where x is normalised mean, scale, beta [C], where it is gated the gate [N, C]. Outputs: y [N, OH, OW, out]; z, the
/// same before the activation (read by the derivative of some, activation.h); y's channel sums.
class Conv2d : public Op {
 public:
  explicit Conv2d(const Conv2dAttributes& values) : attributes(values) {}
  const Conv2dAttributes attributes;

  std::string_view name() const override { return "conv2d"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  std::shared_ptr<const Op> with_activation(Activation kind, bool has_addend) const override;
  int addend_input() const override { return attributes.activation == Activation::none ? 3 : -1; }
  OpPtr with_normalised_input(int x, Activation kind) const override;
  OpPtr with_gated_input(int x, Activation kind) const override;
  std::vector<NormalisedInput> normalised_inputs() const override { return {{0, 4, 7}}; }
  OpPtr frozen() const override;
  int channel_sums_output() const override { return attributes.activation == Activation::none ? 2 : -1; }
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;
};

/// Inputs: dy [N, OH, OW, out], weight, optional addend [N, H, W, C]; where dx is a BatchNorm's dy, that one's x, mean,
/// scale, beta and perhaps y. Outputs: dx = conv^T(dy, weight) + addend; where it is a BatchNorm's, its channel sums.
class Conv2dBwdData : public Op {
 public:
  /// `dx_kind`: the activation of the BatchNorm that dx goes to, if so.
  Conv2dBwdData(const Conv2dAttributes& values, Shape x_shape, std::optional<Activation> dx_kind = {})
      : attributes(values), input_shape(std::move(x_shape)), sums_for(dx_kind) {}
  const Conv2dAttributes attributes;
  const Shape input_shape;
  const std::optional<Activation> sums_for;

  std::string_view name() const override { return "conv2d_bwd_data"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  int addend_input() const override { return 2; }
  int channel_sums_output() const override { return sums_for ? 1 : -1; }
  OpPtr with_backward_sums(Activation kind) const override;
  int backward_sums_input() const override { return 3; }
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;
};

/// Inputs: x, dy. Outputs: dw (as the weight), db [out].
class Conv2dBwdWeight : public Op {
 public:
  Conv2dBwdWeight(const Conv2dAttributes& values, TensorSpec spec) : attributes(values), weight(std::move(spec)) {}
  const Conv2dAttributes attributes;
  const TensorSpec weight;

  std::string_view name() const override { return "conv2d_bwd_weight"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  int weight_gradient_output() const override { return 0; }
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;
};

/// Whether the convolution is a matrix product over pixels: 1 x 1, stride 1, one group, no padding.
inline bool is_pointwise(const Conv2dAttributes& a) {
  return a.kernel_h == 1 && a.kernel_w == 1 && a.stride == 1 && a.padding == 0 && a.extra_padding == 0 && a.groups == 1;
}

}  // namespace bramble::graph
