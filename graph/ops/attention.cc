#include "graph/ops/attention.h"

#include <memory>

#include "graph/ops/shape_rules.h"

namespace bramble::graph {
namespace {

using Kind = WindowPartition::Kind;

/// One product of [L, dim] with [dim, L] for every window and head.
double product_flops(const AttentionSizes& s, std::int64_t dim) {
  return 2.0 * static_cast<double>(s.images * s.windows * s.length * s.length) * static_cast<double>(s.heads * dim);
}

void check_partition(const WindowPartition& partition, const Shape& qkv) {
  require(partition.window >= 1, "a window must have at least one token");
  require(partition.shift >= 0 && partition.shift < partition.window, "the shift must be less than the window");
  require(partition.shift == 0 || partition.kind == Kind::block, "only blocks are shifted");
  if (qkv[1] % partition.window != 0 || qkv[2] % partition.window != 0)
    throw ShapeError(std::to_string(qkv[1]) + " x " + std::to_string(qkv[2]) +
                     " tokens do not divide into windows of " + std::to_string(partition.window) + " x " +
                     std::to_string(partition.window) + "; use images of another size");
}

}  // namespace

AttentionSizes::AttentionSizes(const AttentionAttributes& attributes, const Shape& qkv) {
  const bool whole = attributes.partition.kind == Kind::none;
  expect_rank({qkv}, whole ? 3 : 4, "qkv", whole ? "[N, L, channels]" : "[N, H, W, channels]");
  if (!whole) check_partition(attributes.partition, qkv);
  images = qkv[0];
  length = whole ? qkv[1] : attributes.partition.window * attributes.partition.window;
  windows = whole ? 1 : qkv[1] * qkv[2] / length;
  heads = attributes.heads;
  key_dim = attributes.key_dim > 0 || heads < 1 ? attributes.key_dim : qkv.back() / (3 * heads);
  value_dim = attributes.value_dim > 0 ? attributes.value_dim : key_dim;
  if (heads < 1 || key_dim < 1 || qkv.back() != heads * (2 * key_dim + value_dim))
    throw ShapeError("qkv's " + std::to_string(qkv.back()) + " channels are not those of " + std::to_string(heads) +
                     " heads");
  require(attributes.scale >= 0, "the scale must be above 0, or 0 for 1 / sqrt(key_dim)");
}

std::vector<TensorSpec> Attention::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 2);
  const Shape& qkv = inputs[0].shape;
  const AttentionSizes sizes(attributes, qkv);
  if (has_input(inputs, 1)) expect_shape(inputs[1], sizes.bias_shape(), "the bias");
  Shape y = qkv;
  y.back() = sizes.heads * sizes.value_dim;
  return {{y}, {{sizes.images, sizes.heads, sizes.windows * sizes.length}}};
}

void Attention::backward(BackwardContext& context) const {
  std::vector<TensorId> inputs = {context.dy(0), context.input(0), context.output(0), context.output(1)};
  if (context.node().inputs.size() > 1) inputs.push_back(context.input(1));
  const auto gradients = context.emit(std::make_shared<AttentionBwd>(attributes), std::move(inputs));
  for (const int i : {0, 1})
    if (context.wants(i)) context.set_dx(i, gradients[static_cast<std::size_t>(i)]);
}

double Attention::flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec>) const {
  const AttentionSizes sizes(attributes, inputs[0].shape);
  return product_flops(sizes, sizes.key_dim + sizes.value_dim);  // q k^T, p v
}

std::vector<TensorSpec> AttentionBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 4, 5);
  std::vector<TensorSpec> gradients = {inputs[1]};
  if (has_input(inputs, 4)) gradients.push_back(inputs[4]);
  return gradients;
}

double AttentionBwd::flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec>) const {
  const AttentionSizes sizes(attributes, inputs[1].shape);
  // dp, dv, dk, dq; recomputing the scores is not counted as useful
  return 2 * product_flops(sizes, sizes.key_dim + sizes.value_dim);
}

}  // namespace bramble::graph
