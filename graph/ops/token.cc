#include "graph/ops/token.h"

#include <memory>

#include "graph/backward_context.h"
#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> PrependToken::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 2);
  expect_rank(inputs[0], 3, "x", "[N, L, C]");
  const Shape& x = inputs[0].shape;
  expect_shape(inputs[1], {1, 1, x[2]}, "the token");
  return {{{x[0], x[1] + 1, x[2]}}};
}

void PrependToken::backward(BackwardContext& context) const {
  if (!context.wants(0) && !context.wants(1)) return;
  const auto gradients = context.emit(std::make_shared<PrependTokenBwd>(), {context.dy(0)});
  if (context.wants(0)) context.set_dx(0, gradients[PrependTokenBwd::kDx]);
  if (context.wants(1)) context.set_dx(1, gradients[PrependTokenBwd::kDtoken]);
}

std::vector<TensorSpec> PrependTokenBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  const Shape& dy = inputs[0].shape;
  require(dy.size() == 3 && dy[1] >= 2, "dy is " + to_string(dy) + ", but has to be [N, L + 1, C]");
  return {{{dy[0], dy[1] - 1, dy[2]}}, {{1, 1, dy[2]}}};
}

std::vector<TensorSpec> SelectToken::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  expect_rank(inputs[0], 3, "x", "[N, L, C]");
  const Shape& x = inputs[0].shape;
  require(attributes_.index >= 0 && attributes_.index < x[1],
          "there is no token " + std::to_string(attributes_.index) + " in " + to_string(x));
  return {{{x[0], x[2]}}};
}

void SelectToken::backward(BackwardContext& context) const {
  if (!context.wants(0)) return;
  const SelectTokenBwdAttributes attributes{attributes_.index, context.input_spec(0).shape[1]};
  context.set_dx(0, context.emit(std::make_shared<SelectTokenBwd>(attributes), {context.dy(0)})[0]);
}

std::vector<TensorSpec> SelectTokenBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  const Shape& dy = inputs[0].shape;
  require(dy.size() == 2, "dy is " + to_string(dy) + ", but has to be [N, C]");
  return {{{dy[0], attributes_.length, dy[1]}}};
}

}  // namespace bramble::graph
