// Adam with decoupled weight decay, as PyTorch's torch.optim.AdamW does it (kernels/adamw/adamw.h has the equation).
#pragma once

#include "graph/op.h"

namespace bramble::graph {

struct AdamwAttributes {
  float beta1 = 0.9F;
  float beta2 = 0.999F;
  float eps = 1e-8F;
  float weight_decay = 0;
};

/// Inputs: parameter (updated), gradient, learning rate [1], corrections [2] (1 - beta1^t, 1 - beta2^t; read at every
/// step), mean and variance (updated; start at zero), a factor [1] for the gradient (optional). No outputs.
class Adamw : public Op {
 public:
  explicit Adamw(const AdamwAttributes& attributes) : attributes(attributes) {}
  const AdamwAttributes attributes;

  std::string_view name() const override { return "adamw"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  std::vector<int> mutated_inputs() const override { return {0, 4, 5}; }
};

}  // namespace bramble::graph
