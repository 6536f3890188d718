#include "graph/ops/squeeze_excite.h"

#include <memory>

#include "graph/ops/channel_sums.h"
#include "graph/ops/shape_rules.h"

namespace bramble::graph {
namespace {

/// Of the two linear layers, forward; each is 2 N C R.
double layers_flops(const Shape& x, int reduced) {
  return 4.0 * static_cast<double>(x[0]) * static_cast<double>(x[3]) * reduced;
}

SqueezeExciteAttributes normalised(SqueezeExciteAttributes attributes, Activation kind) {
  attributes.normalisation = kind;
  return attributes;
}

}  // namespace

std::vector<TensorSpec> SqueezeExcite::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 5, 8);
  require(!derivative_reads_input(attributes.gate), "the gate must be a function whose derivative reads its output");
  require(attributes.reduced >= 1, "must have at least one reduced feature");
  expect_rank(inputs[0], 4, "the input", "[N, H, W, C]");
  const std::int64_t batch = inputs[0].shape[0], channels = inputs[0].shape[3], reduced = attributes.reduced;
  expect_shape(inputs[1], {reduced, channels, 1, 1}, "the reducing weight");
  expect_shape(inputs[2], {reduced}, "the reducing bias");
  expect_shape(inputs[3], {channels, reduced, 1, 1}, "the expanding weight");
  expect_shape(inputs[4], {channels}, "the expanding bias");
  return {inputs[0], {{batch, channels}}, {{batch, reduced}}, {{batch, reduced}}, {{batch, channels}}};
}

void SqueezeExcite::backward(BackwardContext& context) const {
  const TensorId saved = context.output(derivative_reads_input(attributes.activation) ? kBeforeActivation : kHidden);
  const auto gradients = context.emit(
      std::make_shared<SqueezeExciteBwd>(attributes),
      {context.dy(kY), context.input(0), context.input(1), context.input(3), context.output(kMean),
       context.output(kHidden), saved, context.output(kGate)});
  for (const int i : {0, 1, 2, 3, 4})
    if (context.wants(i)) context.set_dx(i, gradients[static_cast<std::size_t>(i)]);
}

OpPtr SqueezeExcite::with_normalised_input(int, Activation kind) const {
  return attributes.normalisation ? nullptr : std::make_shared<SqueezeExcite>(normalised(attributes, kind));
}

double SqueezeExcite::flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec>) const {
  return layers_flops(inputs[0].shape, attributes.reduced);
}

std::vector<TensorSpec> SqueezeExciteBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 8, 11);
  const TensorSpec& x = inputs[1];
  expect_shape(inputs[0], x.shape, "the output's gradient");
  return {x, inputs[2], {{attributes.reduced}}, inputs[3], {{x.shape[3]}}, channel_sums(x.shape)};
}

OpPtr SqueezeExciteBwd::with_normalised_input(int, Activation kind) const {
  return attributes.normalisation ? nullptr : std::make_shared<SqueezeExciteBwd>(normalised(attributes, kind));
}

double SqueezeExciteBwd::flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec>) const {
  return 2 * layers_flops(inputs[1].shape, attributes.reduced);
}

}  // namespace bramble::graph
