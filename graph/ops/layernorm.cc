#include "graph/ops/layernorm.h"

#include <memory>

#include "graph/backward_context.h"
#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> LayerNorm::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 3, 4);
  const TensorSpec& x = inputs[kX];
  require(x.shape.size() >= 2, "x is " + to_string(x.shape) + ", but has to be [N, .., C]");
  expect_shape(inputs[kGamma], {x.shape.back()}, "gamma");
  expect_shape(inputs[kBeta], {x.shape.back()}, "beta");
  const TensorSpec per_row{Shape(x.shape.begin(), x.shape.end() - 1)};
  std::vector<TensorSpec> outputs = {x, per_row, per_row};
  if (has_input(inputs, kResidual)) {
    expect_shape(inputs[kResidual], x.shape, "residual");
    outputs.push_back(x);
  }
  return outputs;
}

void LayerNorm::backward(BackwardContext& context) const {
  const bool has_residual = context.node().outputs.size() > kS;
  const TensorId ds = has_residual ? context.dy(kS) : kNoTensor;
  TensorId dx = ds;  // where y leads nowhere, s passes its gradient through
  if (context.dy(kY) != kNoTensor) {
    const TensorId s = has_residual ? context.output(kS) : context.input(kX);
    const auto gradients =
        context.emit(std::make_shared<LayerNormBwd>(), {context.dy(kY), s, context.input(kGamma), context.output(kMean),
                                                        context.output(kRstd), ds});
    dx = gradients[LayerNormBwd::kDx];
    if (context.wants(kGamma)) context.set_dx(kGamma, gradients[LayerNormBwd::kDgamma]);
    if (context.wants(kBeta)) context.set_dx(kBeta, gradients[LayerNormBwd::kDbeta]);
  }
  if (context.wants(kX)) context.set_dx(kX, dx);
  if (context.wants(kResidual)) context.set_dx(kResidual, dx);
}

int LayerNorm::in_place_input(int output) const {
  // s takes the residual's place, so that both may be taken.
  if (output == kY) return kX;
  return output == kS ? static_cast<int>(kResidual) : -1;
}

std::vector<TensorSpec> LayerNormBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 5, 6);
  const TensorSpec& s = inputs[kS];
  expect_shape(inputs[kDy], s.shape, "dy");
  if (has_input(inputs, kDs)) expect_shape(inputs[kDs], s.shape, "ds");
  const TensorSpec per_channel{{s.shape.back()}};
  expect_shape(inputs[kGamma], per_channel.shape, "gamma");
  return {s, per_channel, per_channel};
}

}  // namespace bramble::graph
