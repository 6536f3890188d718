#include "graph/ops/conv2d.h"

#include <memory>

#include "graph/ops/activation.h"
#include "graph/ops/channel_sums.h"
#include "graph/ops/pointwise_conv2d.h"
#include "graph/ops/shape_rules.h"

namespace bramble::graph {
namespace {

/// Two for each multiply-add of the direct algorithm; the same for all three passes.
double conv2d_flops(const Shape& weight, const Shape& y) {
  return 2.0 * static_cast<double>(element_count(y)) * static_cast<double>(weight[1] * weight[2] * weight[3]);
}

Shape weight_shape(const Conv2dAttributes& a, const Shape& x) {
  if (a.groups < 1 || a.out_channels < 1 || x[3] % a.groups != 0 || a.out_channels % a.groups != 0)
    throw ShapeError(std::to_string(x[3]) + " channels in and " + std::to_string(a.out_channels) +
                     " out do not divide into " + std::to_string(a.groups) + " groups");
  return {a.out_channels, x[3] / a.groups, a.kernel_h, a.kernel_w};
}

Shape output_shape(const Conv2dAttributes& a, const Shape& x) {
  return {x[0], window_count(x[1], a.kernel_h, a.stride, a.padding, a.dilation, a.extra_padding),
          window_count(x[2], a.kernel_w, a.stride, a.padding, a.dilation, a.extra_padding), a.out_channels};
}

/// The convolution with its input read through a BatchNorm, and a gate; null if it cannot.
OpPtr normalised(Conv2dAttributes attributes, Activation kind, bool gated) {
  if (!is_pointwise(attributes) || attributes.normalisation) return nullptr;
  attributes.normalisation = kind;
  attributes.gated = gated;
  return std::make_shared<Conv2d>(attributes);
}

}  // namespace

std::vector<TensorSpec> Conv2d::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 8);
  expect_rank(inputs[0], 4, "the input", "[N, H, W, C]");
  expect_shape(inputs[1], weight_shape(attributes, inputs[0].shape), "the weight");
  const Shape y = output_shape(attributes, inputs[0].shape);
  if (has_input(inputs, 2)) expect_shape(inputs[2], {attributes.out_channels}, "the bias");
  if (has_input(inputs, 3)) expect_shape(inputs[3], y, "the residual");
  return {{y}, {y}, channel_sums(y)};
}

void Conv2d::backward(BackwardContext& context) const {
  TensorId dz = context.dy(0);
  if (attributes.activation != Activation::none) {
    const TensorId saved = context.output(derivative_reads_input(attributes.activation) ? 1 : 0);
    dz = context.emit(std::make_shared<ActivationBwd>(attributes.activation), {dz, saved})[0];
  }
  if (context.wants(3)) context.set_dx(3, dz);
  if (is_pointwise(attributes) && context.wants(0) && context.wants(1)) {
    const auto gradients =
        context.emit(std::make_shared<PointwiseConv2dBwd>(), {dz, context.input(0), context.input(1)});
    context.set_dx(0, gradients[0]);
    context.set_dx(1, gradients[1]);
    if (context.wants(2)) context.set_dx(2, gradients[2]);
    return;
  }
  if (context.wants(0))
    context.set_dx(0, context.emit(std::make_shared<Conv2dBwdData>(attributes, context.input_spec(0).shape),
                                   {dz, context.input(1)})[0]);
  if (!context.wants(1) && !context.wants(2)) return;
  const auto gradients =
      context.emit(std::make_shared<Conv2dBwdWeight>(attributes, context.input_spec(1)), {context.input(0), dz});
  if (context.wants(1)) context.set_dx(1, gradients[0]);
  if (context.wants(2)) context.set_dx(2, gradients[1]);
}

std::shared_ptr<const Op> Conv2d::with_activation(Activation kind, bool) const {
  if (attributes.activation != Activation::none) return nullptr;
  Conv2dAttributes fused = attributes;
  fused.activation = kind;
  return std::make_shared<Conv2d>(fused);
}

OpPtr Conv2d::with_normalised_input(int, Activation kind) const { return normalised(attributes, kind, false); }

OpPtr Conv2d::with_gated_input(int, Activation kind) const { return normalised(attributes, kind, true); }

OpPtr Conv2d::frozen() const {
  Conv2dAttributes changed = attributes;
  changed.frozen = true;
  return std::make_shared<Conv2d>(changed);
}

double Conv2d::flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const {
  return conv2d_flops(inputs[1].shape, outputs[0].shape);
}

std::vector<TensorSpec> Conv2dBwdData::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 8);
  expect_shape(inputs[0], output_shape(attributes, input_shape), "the output's gradient");
  expect_shape(inputs[1], weight_shape(attributes, input_shape), "the weight");
  if (has_input(inputs, 2)) expect_shape(inputs[2], input_shape, "the addend");
  return {{input_shape}, channel_sums(input_shape)};
}

OpPtr Conv2dBwdData::with_backward_sums(Activation kind) const {
  return sums_for ? nullptr : std::make_shared<Conv2dBwdData>(attributes, input_shape, kind);
}

double Conv2dBwdData::flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec>) const {
  return conv2d_flops(inputs[1].shape, inputs[0].shape);
}

std::vector<TensorSpec> Conv2dBwdWeight::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 2);
  expect_rank(inputs[0], 4, "the input", "[N, H, W, C]");
  expect_shape(inputs[1], output_shape(attributes, inputs[0].shape), "the output's gradient");
  return {weight, {{weight.shape[0]}}};
}

double Conv2dBwdWeight::flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const {
  return conv2d_flops(outputs[0].shape, inputs[1].shape);
}

}  // namespace bramble::graph
