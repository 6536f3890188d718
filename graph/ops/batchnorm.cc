#include "graph/ops/batchnorm.h"

#include <memory>

#include "graph/backward_context.h"
#include "graph/ops/activation.h"
#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> BatchNorm::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 5, 6);
  require(attributes_.activation != Activation::gelu, "takes relu or relu6 as its activation");
  const TensorSpec& x = inputs[kX];
  require(x.shape.size() >= 2, "x is " + to_string(x.shape) + ", but has to be [N, .., C]");
  const Shape per_channel = {x.shape.back()};
  expect_shape(inputs[kGamma], per_channel, "gamma");
  expect_shape(inputs[kBeta], per_channel, "beta");
  expect_shape(inputs[kRunningMean], per_channel, "running_mean");
  expect_shape(inputs[kRunningVar], per_channel, "running_var");
  if (has_input(inputs, kResidual)) expect_shape(inputs[kResidual], x.shape, "residual");
  require(!attributes_.training || element_count(x.shape) > x.shape.back(),
          "expected more than 1 value per channel when training, got x of " + to_string(x.shape) +
              ": take a larger batch or larger images");
  return {x, {per_channel}, {per_channel}};
}

void BatchNorm::backward(BackwardContext& context) const {
  const bool masked_sum = context.wants(kResidual) && attributes_.activation != Activation::none;
  if (context.wants(kResidual) && !masked_sum) context.set_dx(kResidual, context.dy(kY));
  if (!context.wants(kX) && !context.wants(kGamma) && !context.wants(kBeta)) {
    if (!masked_sum) return;
    const auto mask = std::make_shared<ActivationBwd>(attributes_.activation);
    return context.set_dx(kResidual, context.emit(mask, {context.dy(kY), context.output(kY)})[0]);
  }
  std::vector<TensorId> inputs = {context.dy(kY),        context.input(kX),      context.input(kGamma),
                                  context.input(kBeta), context.output(kMean), context.output(kRstd)};
  const bool has_residual = context.node().inputs.size() > kResidual && context.input(kResidual) != kNoTensor;
  if (has_residual && attributes_.activation != Activation::none) inputs.push_back(context.output(kY));
  const BatchNormBwdAttributes attributes{attributes_.training, attributes_.activation};
  const auto gradients = context.emit(std::make_shared<BatchNormBwd>(attributes), std::move(inputs));
  if (context.wants(kX)) context.set_dx(kX, gradients[BatchNormBwd::kDx]);
  if (context.wants(kGamma)) context.set_dx(kGamma, gradients[BatchNormBwd::kDgamma]);
  if (context.wants(kBeta)) context.set_dx(kBeta, gradients[BatchNormBwd::kDbeta]);
  if (masked_sum) context.set_dx(kResidual, gradients[BatchNormBwd::kDresidual]);
}

OpPtr BatchNorm::with_activation(Activation kind) const {
  if (attributes_.activation != Activation::none || kind == Activation::gelu) return nullptr;
  BatchNormAttributes attributes = attributes_;
  attributes.activation = kind;
  return std::make_shared<BatchNorm>(attributes);
}

std::vector<int> BatchNorm::mutated_inputs() const {
  if (!attributes_.training) return {};
  return {kRunningMean, kRunningVar};
}

std::vector<TensorSpec> BatchNormBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 6, 7);
  const TensorSpec& x = inputs[kX];
  expect_shape(inputs[kDy], x.shape, "dy");
  const Shape per_channel = {x.shape.back()};
  for (const int i : {kGamma, kBeta, kMean, kRstd})
    expect_shape(inputs[static_cast<std::size_t>(i)], per_channel, "a per-channel input");
  std::vector<TensorSpec> outputs = {x, {per_channel}, {per_channel}};
  if (has_input(inputs, kY)) outputs.push_back(x);
  return outputs;
}

int BatchNormBwd::in_place_input(int output) const {
  if (output == kDx) return kX;
  return output == kDresidual ? static_cast<int>(kDy) : -1;
}

}  // namespace bramble::graph
