// Softmax attention: for each image and head, y = softmax(scale * q k^T) v. The scores are never stored whole; the
// backward recomputes them from q, k and the rows' log-sum-exp.
#pragma once

#include "graph/backward_context.h"

namespace bramble::graph {

struct AttentionAttributes {
  int heads = 1;
  float scale = 0;  ///< 0: 1 / sqrt(head_dim)
};

/// Input: qkv [N, L, 3 C], along the last dimension [q, k, v][heads][head_dim]. Outputs: y [N, L, C],
/// lse [N, heads, L].
class Attention : public Op {
 public:
  explicit Attention(const AttentionAttributes& values) : attributes(values) {}
  const AttentionAttributes attributes;

  std::string_view name() const override { return "attention"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;
};

/// Inputs: dy, qkv, y, lse. Output: dqkv.
class AttentionBwd : public Op {
 public:
  explicit AttentionBwd(const AttentionAttributes& values) : attributes(values) {}
  const AttentionAttributes attributes;

  std::string_view name() const override { return "attention_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;
};

}  // namespace bramble::graph
