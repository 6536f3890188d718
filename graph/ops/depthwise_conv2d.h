// Depthwise 2-d convolution over NHWC: each channel with a kernel of its own; y = f(conv(x, weight) + bias).
#pragma once

#include "graph/activation.h"
#include "graph/backward_context.h"

namespace bramble::graph {

struct DepthwiseConv2dAttributes {
  int kernel_h = 3;
  int kernel_w = 3;
  int stride = 1;
  int padding = 1;
  int dilation = 1;
  Activation activation = Activation::none;  ///< none, relu or relu6
};

/// Inputs: x [N, H, W, C], weight [C, 1, KH, KW], optional bias [C]. Output: y [N, OH, OW, C].
class DepthwiseConv2d : public Op {
 public:
  explicit DepthwiseConv2d(const DepthwiseConv2dAttributes& values) : attributes(values) {}
  const DepthwiseConv2dAttributes attributes;

  std::string_view name() const override { return "depthwise_conv2d"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  std::shared_ptr<const Op> with_activation(Activation kind) const override;
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;
};

/// Inputs: dy, weight. Output: dx [N, H, W, C].
class DepthwiseConv2dBwdData : public Op {
 public:
  DepthwiseConv2dBwdData(const DepthwiseConv2dAttributes& values, Shape x_shape)
      : attributes(values), input_shape(std::move(x_shape)) {}
  const DepthwiseConv2dAttributes attributes;
  const Shape input_shape;

  std::string_view name() const override { return "depthwise_conv2d_bwd_data"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;
};

/// Inputs: x, dy. Outputs: dw (as the weight), db [C].
class DepthwiseConv2dBwdWeight : public Op {
 public:
  DepthwiseConv2dBwdWeight(const DepthwiseConv2dAttributes& values, TensorSpec spec)
      : attributes(values), weight(std::move(spec)) {}
  const DepthwiseConv2dAttributes attributes;
  const TensorSpec weight;

  std::string_view name() const override { return "depthwise_conv2d_bwd_weight"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;
};

}  // namespace bramble::graph
