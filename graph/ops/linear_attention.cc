#include "graph/ops/linear_attention.h"

#include <memory>

#include "graph/ops/shape_rules.h"

namespace bramble::graph {
namespace {

/// A state's row: a head's columns and one more, in whole vectors.
std::int64_t state_width(int head_dim) { return (head_dim + 4) / 4 * 4; }

/// One product of [head_dim, L] with [L, head_dim] for every image and head.
double product_flops(const Shape& y, int head_dim) { return 2.0 * static_cast<double>(element_count(y)) * head_dim; }

}  // namespace

std::vector<TensorSpec> LinearAttention::infer(std::span<const TensorSpec> inputs) const {
  require(!inputs.empty(), "needs at least one qkv");
  require(attributes.head_dim >= 1, "head_dim must be at least 1");
  Shape y = inputs[0].shape;
  require(y.size() >= 3, "qkv must be [N, ..., 3 C], not " + to_string(y));
  if (y.back() % (3 * attributes.head_dim) != 0)
    throw ShapeError("qkv's " + std::to_string(y.back()) + " channels are not heads of 3 times " +
                     std::to_string(attributes.head_dim));
  for (const TensorSpec& qkv : inputs) expect_shape(qkv, y, "each scale's qkv");
  y.back() = y.back() / 3 * static_cast<std::int64_t>(inputs.size());
  return {{y}, {{y[0], y.back() / attributes.head_dim, attributes.head_dim, state_width(attributes.head_dim)}}};
}

void LinearAttention::backward(BackwardContext& context) const {
  std::vector<TensorId> inputs = {context.dy(0), context.output(0), context.output(1)};
  const std::vector<TensorId>& scales = context.node().inputs;
  inputs.insert(inputs.end(), scales.begin(), scales.end());
  const auto gradients = context.emit(std::make_shared<LinearAttentionBwd>(attributes), std::move(inputs));
  for (std::size_t i = 0; i < gradients.size(); ++i)
    if (context.wants(static_cast<int>(i))) context.set_dx(static_cast<int>(i), gradients[i]);
}

double LinearAttention::flops(std::span<const TensorSpec>, std::span<const TensorSpec> outputs) const {
  return 2 * product_flops(outputs[0].shape, attributes.head_dim);  // k'^T v, q' state
}

std::vector<TensorSpec> LinearAttentionBwd::infer(std::span<const TensorSpec> inputs) const {
  require(inputs.size() > 3, "needs dy, y, the state and at least one qkv");
  expect_shape(inputs[0], inputs[1].shape, "the output's gradient");
  return {inputs.begin() + 3, inputs.end()};
}

double LinearAttentionBwd::flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec>) const {
  return 4 * product_flops(inputs[0].shape, attributes.head_dim);  // dstate, dq, dk, dv
}

}  // namespace bramble::graph
