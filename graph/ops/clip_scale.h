// The factor by which gradients are clipped, as torch.nn.utils.clip_grad_norm_ computes it:
//   min(1, limit / (norm + 1e-6)), norm being that of all gradients together
#pragma once

#include "graph/op.h"

namespace bramble::graph {

/// Inputs: gradients, one or more. Output: the factor [1].
class ClipScale : public Op {
 public:
  explicit ClipScale(float limit) : limit(limit) {}
  const float limit;

  std::string_view name() const override { return "clip_scale"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
};

}  // namespace bramble::graph
