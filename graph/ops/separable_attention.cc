#include "graph/ops/separable_attention.h"

#include <memory>

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> SeparableAttention::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  expect_rank(inputs[0], 4, "qkv", "[N, H, W, 1 + 2 C]");
  const Shape& qkv = inputs[0].shape;
  if (qkv[3] < 3 || qkv[3] % 2 == 0)
    throw ShapeError("qkv's " + std::to_string(qkv[3]) + " channels are not a query and as many keys as values");
  const std::int64_t patch = attributes.patch_size, channels = qkv[3] / 2;
  if (patch < 1 || qkv[1] % patch != 0 || qkv[2] % patch != 0)
    throw ShapeError(to_string(qkv) + " does not divide into patches of " + std::to_string(patch) + " x " +
                     std::to_string(patch));
  return {{{qkv[0], qkv[1], qkv[2], channels}}, {{qkv[0], qkv[1], qkv[2]}}, {{qkv[0], patch * patch, channels}}};
}

void SeparableAttention::backward(BackwardContext& context) const {
  context.set_dx(0, context.emit(std::make_shared<SeparableAttentionBwd>(attributes),
                                 {context.dy(0), context.input(0), context.output(1), context.output(2)})[0]);
}

std::vector<TensorSpec> SeparableAttentionBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 4, 4);
  return {inputs[1]};
}

}  // namespace bramble::graph
