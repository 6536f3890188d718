#include "graph/ops/bias.h"

#include <algorithm>
#include <memory>

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> Bias::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 2);
  const Shape& x = inputs[0].shape;
  const Shape& bias = inputs[1].shape;
  // The bias's extents, leading ones of 1 apart, must be x's last ones.
  const auto first = std::find_if(bias.begin(), bias.end(), [](std::int64_t extent) { return extent != 1; });
  const auto own = std::distance(first, bias.end());
  if (own > static_cast<std::ptrdiff_t>(x.size()) || !std::equal(first, bias.end(), x.end() - own))
    throw ShapeError("a bias of " + to_string(bias) + " does not fit an input of " + to_string(x));
  return {inputs[0]};
}

void Bias::backward(BackwardContext& context) const {
  if (context.wants(0)) context.set_dx(0, context.dy(0));
  if (context.wants(1))
    context.set_dx(1, context.emit(std::make_shared<BiasBwd>(context.input_spec(1).shape), {context.dy(0)})[0]);
}

std::vector<TensorSpec> BiasBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  return {{bias_shape}};
}

}  // namespace bramble::graph
