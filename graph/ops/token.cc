#include "graph/ops/token.h"

#include <memory>

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> PrependToken::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 2);
  expect_rank(inputs[0], 3, "the input", "[N, L, C]");
  const Shape& x = inputs[0].shape;
  expect_shape(inputs[1], {1, 1, x[2]}, "the token");
  return {{{x[0], x[1] + 1, x[2]}}};
}

void PrependToken::backward(BackwardContext& context) const {
  const auto gradients = context.emit(std::make_shared<PrependTokenBwd>(), {context.dy(0)});
  for (const int i : {0, 1})
    if (context.wants(i)) context.set_dx(i, gradients[static_cast<std::size_t>(i)]);
}

std::vector<TensorSpec> PrependTokenBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  const Shape& dy = inputs[0].shape;
  return {{{dy[0], dy[1] - 1, dy[2]}}, {{1, 1, dy[2]}}};
}

std::vector<TensorSpec> SelectToken::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  expect_rank(inputs[0], 3, "the input", "[N, L, C]");
  const Shape& x = inputs[0].shape;
  if (attributes.index < 0 || attributes.index >= x[1])
    throw ShapeError("token " + std::to_string(attributes.index) + " is not among " + std::to_string(x[1]));
  return {{{x[0], x[2]}}};
}

void SelectToken::backward(BackwardContext& context) const {
  const SelectTokenAttributes all{attributes.index, context.input_spec(0).shape[1]};
  context.set_dx(0, context.emit(std::make_shared<SelectTokenBwd>(all), {context.dy(0)})[0]);
}

std::vector<TensorSpec> SelectTokenBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  const Shape& dy = inputs[0].shape;
  return {{{dy[0], attributes.length, dy[1]}}};
}

}  // namespace bramble::graph
