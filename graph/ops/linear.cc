#include "graph/ops/linear.h"

#include <memory>

#include "graph/ops/activation.h"
#include "graph/ops/linear_scale.h"
#include "graph/ops/shape_rules.h"

namespace bramble::graph {
namespace {

Shape with_last(Shape shape, std::int64_t last) {
  shape.back() = last;
  return shape;
}

double linear_flops(const Shape& weight, const Shape& y) {
  return 2.0 * static_cast<double>(element_count(y)) * static_cast<double>(weight[1]);
}

}  // namespace

std::vector<TensorSpec> Linear::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 5);
  Shape weight = {attributes.out_features, inputs[0].shape.back()};
  if (inputs[1].shape.size() == 4) weight.insert(weight.end(), {1, 1});
  expect_shape(inputs[1], weight, "the weight");
  const Shape y = with_last(inputs[0].shape, attributes.out_features);
  if (has_input(inputs, 2)) expect_shape(inputs[2], {attributes.out_features}, "the bias");
  if (has_input(inputs, 3)) expect_shape(inputs[3], y, "the residual");
  if (has_input(inputs, 4)) expect_shape(inputs[4], {attributes.out_features}, "the scale");
  return {{y}, {y}};
}

void Linear::backward(BackwardContext& context) const {
  TensorId dz = context.dy(0);
  if (attributes.activation != Activation::none) {
    const TensorId saved = context.output(derivative_reads_input(attributes.activation) ? 1 : 0);
    dz = context.emit(std::make_shared<ActivationBwd>(attributes.activation), {dz, saved})[0];
  }
  if (context.wants(3)) context.set_dx(3, dz);
  const bool scaled = context.node().inputs.size() > 4;
  if (context.wants(0)) {
    std::vector<TensorId> inputs = {dz, context.input(1)};
    if (scaled) inputs.insert(inputs.end(), {kNoTensor, kNoTensor, context.input(4)});
    context.set_dx(0, context.emit(std::make_shared<LinearBwdData>(), std::move(inputs))[0]);
  }
  if (!context.wants(1) && !context.wants(2) && !context.wants(4)) return;
  auto gradients = context.emit(std::make_shared<LinearBwdWeight>(context.input_spec(1)), {context.input(0), dz});
  if (scaled) {
    gradients = context.emit(std::make_shared<LinearScaleBwd>(),
                             {gradients[0], gradients[1], context.input(1), context.input(2), context.input(4)});
    if (context.wants(4)) context.set_dx(4, gradients[2]);
  }
  if (context.wants(1)) context.set_dx(1, gradients[0]);
  if (context.wants(2)) context.set_dx(2, gradients[1]);
}

std::shared_ptr<const Op> Linear::with_activation(Activation kind, bool) const {
  if (attributes.activation != Activation::none) return nullptr;
  return std::make_shared<Linear>(LinearAttributes{attributes.out_features, kind});
}

double Linear::flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const {
  return linear_flops(inputs[1].shape, outputs[0].shape);
}

std::vector<TensorSpec> LinearBwdData::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 5);
  expect_shape(inputs[0], with_last(inputs[0].shape, inputs[1].shape[0]), "the output's gradient");
  const Shape dx = with_last(inputs[0].shape, inputs[1].shape[1]);
  if (has_input(inputs, 2)) expect_shape(inputs[2], dx, "the addend");
  if (has_input(inputs, 3)) expect_shape(inputs[3], dx, "the gelu's input");
  if (has_input(inputs, 4)) expect_shape(inputs[4], {inputs[1].shape[0]}, "the scale");
  return {{dx}};
}

double LinearBwdData::flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec>) const {
  return linear_flops(inputs[1].shape, inputs[0].shape);
}

std::vector<TensorSpec> LinearBwdWeight::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 2);
  expect_shape(inputs[1], with_last(inputs[0].shape, inputs[1].shape.back()), "the output's gradient");
  return {weight, {{inputs[1].shape.back()}}};
}

double LinearBwdWeight::flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const {
  return linear_flops(outputs[0].shape, inputs[1].shape);
}

}  // namespace bramble::graph
