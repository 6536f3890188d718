// LayerNorm over the last dimension, optionally of a sum: s = x + residual, y = gamma * (s - mean) * rstd + beta.
#pragma once

#include "graph/backward_context.h"

namespace bramble::graph {

struct LayerNormAttributes {
  float eps = 1e-6F;
};

/// Inputs: x [..., C], gamma [C], beta [C], optional residual (as x). Outputs: y (as x), mean and rstd of each row
/// [rows], and with a residual s.
class LayerNorm : public Op {
 public:
  explicit LayerNorm(const LayerNormAttributes& attributes) : attributes(attributes) {}
  const LayerNormAttributes attributes;

  std::string_view name() const override { return "layernorm"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  /// y in x's place and s in the residual's, so that both may be taken.
  int in_place_input(int output) const override { return output == 0 ? 0 : output == 3 ? 3 : -1; }
};

/// Inputs: dy, s (or x), gamma, mean, rstd, optional addend: a gradient that reaches s on another way.
/// Outputs: dx (= addend + LayerNorm's), dgamma, dbeta.
class LayerNormBwd : public Op {
 public:
  std::string_view name() const override { return "layernorm_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  int in_place_input(int output) const override { return output == 0 ? 0 : -1; }
  int addend_input() const override { return 5; }
};

}  // namespace bramble::graph
