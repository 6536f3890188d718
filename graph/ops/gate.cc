#include "graph/ops/gate.h"

#include <memory>
#include <string>

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

namespace {

/// Input `x`, or where it is joined here what becomes of the inputs from `first_part` on.
TensorSpec gated(std::span<const TensorSpec> inputs, const Concat* joined, std::size_t x, int first_part) {
  const auto given = static_cast<std::size_t>(first_part);
  require(
      joined ? inputs.size() > given : inputs.size() == given,
      "takes " + std::to_string(given) + " inputs and the parts that it joins, not " + std::to_string(inputs.size()));
  return joined ? joined->infer(inputs.subspan(given))[0] : inputs[x];
}

}  // namespace

std::vector<TensorSpec> Gate::infer(std::span<const TensorSpec> inputs) const {
  const TensorSpec source = gated(inputs, joined.get(), 0, kFirstPart);
  expect_rank(source, 4, "the input", "[N, H, W, C]");
  expect_rank(inputs[1], 4, "the gate", "[N, H, W, C]");
  const Shape& x = source.shape;
  const Shape& gate = inputs[1].shape;
  expect_shape(inputs[1], {x[0], gate[1], gate[2], x[3]}, "the gate");
  require(gate[1] <= x[1] && gate[2] <= x[2], "the gate " + to_string(gate) + " is larger than " + to_string(x));
  return {{x}};
}

void Gate::backward(BackwardContext& context) const {
  const auto gradients = context.emit(std::make_shared<GateBwd>(), {context.dy(0), context.input(0), context.input(1)});
  for (const int i : {0, 1})
    if (context.wants(i)) context.set_dx(i, gradients[static_cast<std::size_t>(i)]);
}

std::vector<TensorSpec> GateBwd::infer(std::span<const TensorSpec> inputs) const {
  return {gated(inputs, joined.get(), 1, kFirstPart), inputs[2]};
}

}  // namespace bramble::graph
