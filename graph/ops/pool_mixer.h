// PoolFormer's token mixer with its layer scale and residual: y = x + gamma * (pool(x) - x), the pool being an average over
// the pixels of a square that lie inside the image.
#pragma once

#include "graph/backward_context.h"

namespace bramble::graph {

struct PoolMixerAttributes {
  int kernel = 3;        ///< odd
  bool residual = true;  ///< false: y = gamma * (pool(x) - x)
};

/// Inputs: x [N, H, W, C], optional gamma [C]. Output: y (as x).
class PoolMixer : public Op {
 public:
  explicit PoolMixer(const PoolMixerAttributes& values) : attributes(values) {}
  const PoolMixerAttributes attributes;

  std::string_view name() const override { return "pool_mixer"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
};

/// Inputs: dy, x, optional gamma. Outputs: dx, dgamma [C].
class PoolMixerBwd : public Op {
 public:
  explicit PoolMixerBwd(const PoolMixerAttributes& values) : attributes(values) {}
  const PoolMixerAttributes attributes;

  std::string_view name() const override { return "pool_mixer_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
};

}  // namespace bramble::graph
