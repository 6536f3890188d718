#include "graph/ops/batchnorm.h"

#include <memory>

#include "graph/ops/channel_sums.h"
#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> BatchNorm::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 5, 10);
  const Shape& x = inputs[0].shape;
  const Shape per_channel = {x.back()};
  const char* const names[] = {"", "gamma", "beta", "the running mean", "the running variance"};
  for (std::size_t i = 1; i < 5; ++i) expect_shape(inputs[i], per_channel, names[i]);
  if (has_input(inputs, 5)) expect_shape(inputs[5], x, "the residual");
  if (has_input(inputs, 6)) expect_shape(inputs[6], channel_sums(x).shape, "the input's sums");
  if (attributes.training && element_count(x) == x.back())
    throw ShapeError("training needs more than one value a channel, but the input is " + to_string(x) +
                     "; use a larger batch or larger images");
  return {{x}, {per_channel}, {per_channel}, {per_channel}};
}

void BatchNorm::backward(BackwardContext& context) const {
  const bool has_residual = context.node().inputs.size() > 5 && context.input(5) != kNoTensor;
  const bool masked = has_residual && attributes.activation != Activation::none;
  if (context.wants(5) && !masked) context.set_dx(5, context.dy(0));
  if (!context.wants(0) && !context.wants(1) && !context.wants(2) && !(masked && context.wants(5))) return;
  const auto gradients = context.emit(
      std::make_shared<BatchNormBwd>(attributes),
      {context.dy(0), context.input(0), context.output(3), context.input(2), context.output(1), context.output(2),
       masked ? context.output(0) : kNoTensor});
  for (const int i : {0, 1, 2})
    if (context.wants(i)) context.set_dx(i, gradients[static_cast<std::size_t>(i)]);
  if (context.wants(5) && masked) context.set_dx(5, gradients[3]);
}

std::vector<int> BatchNorm::mutated_inputs() const {
  return attributes.training ? std::vector<int>{3, 4} : std::vector<int>{};
}

std::shared_ptr<const Op> BatchNorm::with_activation(Activation kind, bool has_addend) const {
  // The backward finds z again from x alone, or takes y: with a residual it has no way to z.
  if (attributes.activation != Activation::none || (has_addend && derivative_reads_input(kind))) return nullptr;
  BatchNormAttributes fused = attributes;
  fused.activation = kind;
  return std::make_shared<BatchNorm>(fused);
}

OpPtr BatchNorm::with_normalised_input(int, Activation kind) const {
  if (kind != Activation::none || normalises_residual) return nullptr;
  return std::make_shared<BatchNorm>(attributes, true);
}

std::vector<TensorSpec> BatchNormBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 6, 9);
  return {inputs[1], inputs[2], inputs[3], inputs[1], {{5, inputs[1].shape.back()}}};
}

}  // namespace bramble::graph
