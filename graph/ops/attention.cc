#include "graph/ops/attention.h"

#include <memory>

#include "graph/ops/shape_rules.h"

namespace bramble::graph {
namespace {

/// One product of [L, head_dim] with [head_dim, L] for every image and head.
double product_flops(const Shape& qkv) {
  return 2.0 * static_cast<double>(qkv[0] * qkv[1] * qkv[1]) * static_cast<double>(qkv[2] / 3);
}

}  // namespace

std::vector<TensorSpec> Attention::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  expect_rank(inputs[0], 3, "qkv", "[N, L, 3 C]");
  const Shape& qkv = inputs[0].shape;
  if (attributes.heads < 1 || qkv[2] % (3 * attributes.heads) != 0)
    throw ShapeError("qkv's " + std::to_string(qkv[2]) + " channels are not 3 times " +
                     std::to_string(attributes.heads) + " heads");
  require(attributes.scale >= 0, "the scale must be above 0, or 0 for 1 / sqrt(head_dim)");
  return {{{qkv[0], qkv[1], qkv[2] / 3}}, {{qkv[0], attributes.heads, qkv[1]}}};
}

void Attention::backward(BackwardContext& context) const {
  context.set_dx(0, context.emit(std::make_shared<AttentionBwd>(attributes),
                                 {context.dy(0), context.input(0), context.output(0), context.output(1)})[0]);
}

double Attention::flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec>) const {
  return 2 * product_flops(inputs[0].shape);  // q k^T, p v
}

std::vector<TensorSpec> AttentionBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 4, 4);
  return {inputs[1]};
}

double AttentionBwd::flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec>) const {
  return 4 * product_flops(inputs[1].shape);  // dp, dv, dk, dq; recomputing the scores is not counted as useful
}

}  // namespace bramble::graph
