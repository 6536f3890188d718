#include "graph/ops/conv2d.h"

#include <memory>

#include "graph/ops/activation.h"
#include "graph/ops/shape_rules.h"

namespace bramble::graph {
namespace {

/// Two for each multiply-add of the direct algorithm; the same for all three passes.
double conv2d_flops(const Shape& weight, const Shape& y) {
  return 2.0 * static_cast<double>(element_count(y)) * static_cast<double>(weight[1] * weight[2] * weight[3]);
}

}  // namespace

std::vector<TensorSpec> Conv2d::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 4);
  const Conv2dAttributes& a = attributes;
  expect_rank(inputs[0], 4, "the input", "[N, H, W, C]");
  const Shape& x = inputs[0].shape;
  if (a.groups < 1 || x[3] % a.groups != 0 || a.out_channels % a.groups != 0)
    throw ShapeError(std::to_string(x[3]) + " channels in and " + std::to_string(a.out_channels) +
                     " out do not divide into " + std::to_string(a.groups) + " groups");
  expect_shape(inputs[1], {a.out_channels, x[3] / a.groups, a.kernel_h, a.kernel_w}, "the weight");
  const Shape y = {x[0], window_count(x[1], a.kernel_h, a.stride, a.padding, a.dilation),
                   window_count(x[2], a.kernel_w, a.stride, a.padding, a.dilation), a.out_channels};
  if (has_input(inputs, 2)) expect_shape(inputs[2], {a.out_channels}, "the bias");
  if (has_input(inputs, 3)) expect_shape(inputs[3], y, "the residual");
  return {{y}, {y}};
}

void Conv2d::backward(BackwardContext& context) const {
  const TensorId dz =
      emit_activation_bwd(context, attributes.activation, context.dy(0), context.output(0), context.output(1));
  if (context.wants(3)) context.set_dx(3, dz);
  if (context.wants(0))
    context.set_dx(0, context.emit(std::make_shared<Conv2dBwdData>(attributes, context.input_spec(0).shape),
                                   {dz, context.input(1)})[0]);
  if (!context.wants(1) && !context.wants(2)) return;
  const auto gradients = context.emit(std::make_shared<Conv2dBwdWeight>(attributes, context.input_spec(1)),
                                      {context.input(0), dz});
  if (context.wants(1)) context.set_dx(1, gradients[0]);
  if (context.wants(2)) context.set_dx(2, gradients[1]);
}

std::shared_ptr<const Op> Conv2d::with_activation(Activation kind) const {
  if (attributes.activation != Activation::none) return nullptr;
  Conv2dAttributes fused = attributes;
  fused.activation = kind;
  return std::make_shared<Conv2d>(fused);
}

double Conv2d::flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const {
  return conv2d_flops(inputs[1].shape, outputs[0].shape);
}

std::vector<TensorSpec> Conv2dBwdData::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 3);
  if (has_input(inputs, 2)) expect_shape(inputs[2], input_shape, "the addend");
  return {{input_shape}};
}

double Conv2dBwdData::flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec>) const {
  return conv2d_flops(inputs[1].shape, inputs[0].shape);
}

std::vector<TensorSpec> Conv2dBwdWeight::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 2);
  return {weight, {{weight.shape[0]}}};
}

double Conv2dBwdWeight::flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const {
  return conv2d_flops(outputs[0].shape, inputs[1].shape);
}

}  // namespace bramble::graph
