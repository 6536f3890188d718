#include "graph/ops/cross_covariance_attention.h"

#include <memory>

#include "graph/ops/shape_rules.h"

namespace bramble::graph {
namespace {

/// One product of [head_dim, L] with [L, head_dim] for every image and head.
double product_flops(const Shape& qkv, int heads) {
  const double channels = static_cast<double>(qkv.back() / 3);
  return 2.0 * static_cast<double>(element_count(qkv)) / 3 * channels / heads;
}

}  // namespace

std::vector<TensorSpec> CrossCovarianceAttention::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 2);
  Shape y = inputs[0].shape;
  require(y.size() >= 3, "qkv must be [N, ..., 3 C], not " + to_string(y));
  const std::int64_t heads = attributes.heads;
  if (heads < 1 || y.back() % (3 * heads) != 0)
    throw ShapeError("qkv's " + std::to_string(y.back()) + " channels are not 3 times " + std::to_string(heads) +
                     " heads");
  expect_shape(inputs[1], {heads, 1, 1}, "the temperature");
  y.back() /= 3;
  const std::int64_t dim = y.back() / heads, width = (dim + 3) / 4 * 4;  // rows of whole vectors
  return {{y}, {{y[0], heads, dim, width}}, {{y[0], heads, 2, dim}}};
}

void CrossCovarianceAttention::backward(BackwardContext& context) const {
  const auto gradients =
      context.emit(std::make_shared<CrossCovarianceAttentionBwd>(attributes),
                   {context.dy(0), context.input(0), context.input(1), context.output(1), context.output(2)});
  for (const int i : {0, 1})
    if (context.wants(i)) context.set_dx(i, gradients[static_cast<std::size_t>(i)]);
}

double CrossCovarianceAttention::flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec>) const {
  return 2 * product_flops(inputs[0].shape, attributes.heads);  // q^ k^T, p v
}

std::vector<TensorSpec> CrossCovarianceAttentionBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 5, 5);
  return {inputs[1], inputs[2]};
}

double CrossCovarianceAttentionBwd::flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec>) const {
  return 4 * product_flops(inputs[1].shape, attributes.heads);  // dp, dq, dk, dv
}

}  // namespace bramble::graph
