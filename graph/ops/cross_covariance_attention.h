// Cross-covariance attention (EdgeNeXt): for each image and head, y = softmax(temperature * q^ k^T) v with channels in the
// place of tokens, q^ and k^ being q and k with every channel's norm over the tokens made 1.
#pragma once

#include "graph/backward_context.h"

namespace bramble::graph {

struct CrossCovarianceAttentionAttributes {
  int heads = 1;
};

/// Inputs: qkv [N, ..., 3 C], along the last dimension [q, k, v][heads][head_dim]; temperature [heads, 1, 1]. Outputs:
/// y [N, ..., C]; what the kernel keeps: cosines [N, heads, head_dim, width] and 1 / norms [N, heads, 2, head_dim].
class CrossCovarianceAttention : public Op {
 public:
  explicit CrossCovarianceAttention(const CrossCovarianceAttentionAttributes& values) : attributes(values) {}
  const CrossCovarianceAttentionAttributes attributes;

  std::string_view name() const override { return "cross_covariance_attention"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;
};

/// Inputs: dy, qkv, temperature, cosines, 1 / norms. Outputs: dqkv, dtemperature.
class CrossCovarianceAttentionBwd : public Op {
 public:
  explicit CrossCovarianceAttentionBwd(const CrossCovarianceAttentionAttributes& values) : attributes(values) {}
  const CrossCovarianceAttentionAttributes attributes;

  std::string_view name() const override { return "cross_covariance_attention_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;
};

}  // namespace bramble::graph
