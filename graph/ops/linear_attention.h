// Linear attention with ReLU as its kernel (EfficientViT): for each image and head, with q' = relu(q), k' = relu(k),
//   y = q' (k'^T v) / (q' sum of k' + eps)
// Its cost grows with the number of tokens, not its square: k'^T v is what all queries share.
#pragma once

#include "graph/backward_context.h"

namespace bramble::graph {

struct LinearAttentionAttributes {
  int head_dim = 16;
  float eps = 1e-5F;
};

/// Inputs: qkv of one scale or of several [N, ..., 3 C], each along the last dimension [heads][q, k, v][head_dim].
/// Outputs: y [N, ..., scales * C], the scales' heads after each other; state [N, scales * heads, head_dim, width], what
/// the kernel keeps of k'^T v and the sums of k'.
class LinearAttention : public Op {
 public:
  explicit LinearAttention(const LinearAttentionAttributes& values) : attributes(values) {}
  const LinearAttentionAttributes attributes;

  std::string_view name() const override { return "linear_attention"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;
};

/// Inputs: dy, y, state, then the scales' qkv. Outputs: dqkv of each.
class LinearAttentionBwd : public Op {
 public:
  explicit LinearAttentionBwd(const LinearAttentionAttributes& values) : attributes(values) {}
  const LinearAttentionAttributes attributes;

  std::string_view name() const override { return "linear_attention_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;
};

}  // namespace bramble::graph
