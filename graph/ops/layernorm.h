// LayerNorm over the last dimension, optionally of a sum.
#pragma once

#include "graph/op.h"

namespace bramble::graph {

struct LayerNormAttributes {
  float eps = 1e-6F;
};

/// s = x + residual; y = (s - mean) * rstd * gamma + beta, statistics over the last dimension.
/// Inputs: x [.., C], gamma, beta [C], optional residual [.., C]. Outputs: y, mean [..], rstd [..], s (with residual).
class LayerNorm : public Op {
 public:
  enum Input { kX, kGamma, kBeta, kResidual };
  enum Output { kY, kMean, kRstd, kS };

  explicit LayerNorm(LayerNormAttributes attributes) : attributes_(attributes) {}
  const LayerNormAttributes& attributes() const { return attributes_; }

  std::string_view name() const override { return "layernorm"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  int in_place_input(int output) const override;

 private:
  LayerNormAttributes attributes_;
};

/// Inputs: dy, s (x where there was no residual), gamma, mean, rstd, optional ds (the gradient that reaches s itself).
/// Outputs: dx (the residual's gradient too), dgamma, dbeta.
class LayerNormBwd : public Op {
 public:
  enum Input { kDy, kS, kGamma, kMean, kRstd, kDs };
  enum Output { kDx, kDgamma, kDbeta };

  std::string_view name() const override { return "layernorm_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  int in_place_input(int output) const override { return output == kDx ? static_cast<int>(kDy) : -1; }
  int addend_input() const override { return kDs; }
};

}  // namespace bramble::graph
