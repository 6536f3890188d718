#include "graph/ops/pointwise_conv2d.h"

#include <memory>

#include "graph/ops/channel_sums.h"
#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> PointwiseConv2dBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 3, 15);
  const TensorSpec& x = inputs[1];
  const TensorSpec& weight = inputs[2];
  Shape y = x.shape;
  y.back() = weight.shape[0];
  expect_shape(weight, {weight.shape[0], x.shape.back(), 1, 1}, "the weight");
  expect_shape(inputs[0], y, "the output's gradient");
  if (has_input(inputs, 3)) expect_shape(inputs[3], x.shape, "the addend");
  return {{x.shape}, weight, {{y.back()}}, channel_sums(x.shape)};
}

OpPtr PointwiseConv2dBwd::with_normalised_input(int, Activation kind) const {
  if (normalisation || sums_for) return nullptr;
  return std::make_shared<PointwiseConv2dBwd>(kind, gradient_normalisation);
}

OpPtr PointwiseConv2dBwd::with_gated_input(int, Activation kind) const {
  if (normalisation || sums_for) return nullptr;
  return std::make_shared<PointwiseConv2dBwd>(kind, gradient_normalisation, std::nullopt, true);
}

OpPtr PointwiseConv2dBwd::with_normalised_gradient(std::span<const TensorSpec> inputs, Activation kind) const {
  // With a larger weight the two gradients are passes of their own: dy would be made twice, or written after all.
  if (element_count(inputs[2].shape) > kSmallWeight) return nullptr;
  return gradient_normalisation ? nullptr : std::make_shared<PointwiseConv2dBwd>(normalisation, kind, sums_for, gated);
}

OpPtr PointwiseConv2dBwd::with_backward_sums(Activation kind) const {
  if (normalisation || sums_for) return nullptr;
  return std::make_shared<PointwiseConv2dBwd>(normalisation, gradient_normalisation, kind);
}

double PointwiseConv2dBwd::flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec>) const {
  return 2 * 2.0 * static_cast<double>(element_count(inputs[0].shape)) * static_cast<double>(inputs[1].shape.back());
}

}  // namespace bramble::graph
