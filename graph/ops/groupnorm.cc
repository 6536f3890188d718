#include "graph/ops/groupnorm.h"

#include <memory>

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> GroupNorm::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 3, 3);
  const Shape& x = inputs[0].shape;
  require(x.size() >= 2, "the input must be [N, ..., C], not " + to_string(x));
  if (attributes.groups < 1 || x.back() % attributes.groups != 0)
    throw ShapeError(std::to_string(x.back()) + " channels do not divide into " + std::to_string(attributes.groups) +
                     " groups");
  expect_shape(inputs[1], {x.back()}, "gamma");
  expect_shape(inputs[2], {x.back()}, "beta");
  return {{x}, {{x[0], attributes.groups}}, {{x[0], attributes.groups}}};
}

void GroupNorm::backward(BackwardContext& context) const {
  const auto gradients =
      context.emit(std::make_shared<GroupNormBwd>(attributes), {context.dy(0), context.input(0), context.input(1),
                                                                context.output(1), context.output(2)});
  for (const int i : {0, 1, 2})
    if (context.wants(i)) context.set_dx(i, gradients[static_cast<std::size_t>(i)]);
}

std::vector<TensorSpec> GroupNormBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 5, 6);
  expect_shape(inputs[0], inputs[1].shape, "the output's gradient");
  if (has_input(inputs, 5)) expect_shape(inputs[5], inputs[1].shape, "the addend");
  return {{inputs[1].shape}, inputs[2], inputs[2]};
}

}  // namespace bramble::graph
