// Lion's update (kernels/lion/lion.h has the equation).
#pragma once

#include "graph/op.h"

namespace bramble::graph {

struct LionAttributes {
  float beta1 = 0.9F;
  float beta2 = 0.99F;
  float weight_decay = 0;
};

/// Inputs: parameter (updated), gradient, learning rate [1] (read at every step), mean (updated; starts at zero), a
/// factor [1] for the gradient (optional). No outputs.
class Lion : public Op {
 public:
  explicit Lion(const LionAttributes& attributes) : attributes(attributes) {}
  const LionAttributes attributes;

  std::string_view name() const override { return "lion"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  std::vector<int> mutated_inputs() const override { return {0, 3}; }
};

}  // namespace bramble::graph
