#include "graph/ops/depthwise_conv2d.h"

#include <memory>

#include "graph/ops/activation.h"
#include "graph/ops/channel_sums.h"
#include "graph/ops/shape_rules.h"

namespace bramble::graph {
namespace {

double depthwise_flops(const DepthwiseConv2dAttributes& attributes, const Shape& y) {
  return 2.0 * static_cast<double>(element_count(y)) * attributes.kernel_h * attributes.kernel_w;
}

Shape output_shape(const DepthwiseConv2dAttributes& a, const Shape& x) {
  return {x[0], window_count(x[1], a.kernel_h, a.stride, a.padding.height, a.dilation, a.extra_padding),
          window_count(x[2], a.kernel_w, a.stride, a.padding.width, a.dilation, a.extra_padding), x[3]};
}

}  // namespace

std::vector<TensorSpec> DepthwiseConv2d::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 6);
  const DepthwiseConv2dAttributes& a = attributes;
  require(is_clamp(a.activation), "the activation must be none, relu or relu6");
  expect_rank(inputs[0], 4, "the input", "[N, H, W, C]");
  const Shape& x = inputs[0].shape;
  expect_shape(inputs[1], {x[3], 1, a.kernel_h, a.kernel_w}, "the weight");
  if (has_input(inputs, 2)) expect_shape(inputs[2], {x[3]}, "the bias");
  const Shape y = output_shape(a, x);
  return {{y}, channel_sums(y)};
}

void DepthwiseConv2d::backward(BackwardContext& context) const {
  TensorId dz = context.dy(0);
  if (attributes.activation != Activation::none)
    dz = context.emit(std::make_shared<ActivationBwd>(attributes.activation), {dz, context.output(0)})[0];
  const int products = (context.wants(0) ? 1 : 0) + (context.wants(1) ? 1 : 0);
  if (products == 0 && !context.wants(2)) return;
  const auto gradients = context.emit(std::make_shared<DepthwiseConv2dBwd>(attributes, products),
                                      {dz, context.input(0), context.input(1)});
  for (const int i : {0, 1, 2})
    if (context.wants(i)) context.set_dx(i, gradients[static_cast<std::size_t>(i)]);
}

std::shared_ptr<const Op> DepthwiseConv2d::with_activation(Activation kind, bool) const {
  if (attributes.activation != Activation::none || !is_clamp(kind)) return nullptr;
  DepthwiseConv2dAttributes fused = attributes;
  fused.activation = kind;
  return std::make_shared<DepthwiseConv2d>(fused);
}

OpPtr DepthwiseConv2d::with_normalised_input(int, Activation kind) const {
  if (attributes.normalisation) return nullptr;
  DepthwiseConv2dAttributes fused = attributes;
  fused.normalisation = kind;
  return std::make_shared<DepthwiseConv2d>(fused);
}

double DepthwiseConv2d::flops(std::span<const TensorSpec>, std::span<const TensorSpec> outputs) const {
  return depthwise_flops(attributes, outputs[0].shape);
}

std::vector<TensorSpec> DepthwiseConv2dBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 3, kAddend + 1);
  expect_rank(inputs[1], 4, "the input", "[N, H, W, C]");
  expect_shape(inputs[0], output_shape(attributes, inputs[1].shape), "the output's gradient");
  const Shape& x = inputs[1].shape;
  if (has_input(inputs, kAddend)) expect_shape(inputs[kAddend], x, "the addend");
  return {{x}, inputs[2], {{x[3]}}, channel_sums(x)};
}

OpPtr DepthwiseConv2dBwd::with_normalised_input(int, Activation kind) const {
  if (attributes.normalisation) return nullptr;
  DepthwiseConv2dAttributes fused = attributes;
  fused.normalisation = kind;
  return std::make_shared<DepthwiseConv2dBwd>(fused, products_, gradient_normalisation);
}

OpPtr DepthwiseConv2dBwd::with_normalised_gradient(std::span<const TensorSpec>, Activation kind) const {
  return gradient_normalisation ? nullptr : std::make_shared<DepthwiseConv2dBwd>(attributes, products_, kind);
}

double DepthwiseConv2dBwd::flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec>) const {
  return products_ * depthwise_flops(attributes, inputs[0].shape);
}

}  // namespace bramble::graph
