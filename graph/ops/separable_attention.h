// Separable self-attention (MobileViTv2), where one score a pixel weighs the keys, and all pixels share what that gives.
// The image falls into patches; pixels at one place of their patches attend to each other:
//   context = sum over those pixels of softmax(query) * key,  y = relu(value) * context
#pragma once

#include "graph/backward_context.h"

namespace bramble::graph {

struct SeparableAttentionAttributes {
  int patch_size = 2;
};

/// Input: qkv [N, H, W, 1 + 2 C], along the last dimension a query, keys, values. Outputs: y [N, H, W, C]; scores
/// [N, H, W], the softmax; context [N, patch_size^2, C].
class SeparableAttention : public Op {
 public:
  explicit SeparableAttention(const SeparableAttentionAttributes& values) : attributes(values) {}
  const SeparableAttentionAttributes attributes;

  std::string_view name() const override { return "separable_attention"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
};

/// Inputs: dy, qkv, scores, context. Output: dqkv.
class SeparableAttentionBwd : public Op {
 public:
  explicit SeparableAttentionBwd(const SeparableAttentionAttributes& values) : attributes(values) {}
  const SeparableAttentionAttributes attributes;

  std::string_view name() const override { return "separable_attention_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  int in_place_input(int) const override { return 1; }
};

}  // namespace bramble::graph
