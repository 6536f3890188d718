// Stochastic gradient descent as PyTorch's torch.optim.SGD does it:
//   g = grad + weight_decay * p;  m = momentum * m + g;  p -= lr * (nesterov ? g + momentum * m : m)
#pragma once

#include "graph/op.h"

namespace bramble::graph {

struct SgdAttributes {
  float momentum = 0;
  float weight_decay = 0;
  bool nesterov = false;
};

/// Inputs: parameter (updated), gradient, learning rate [1] (read at every step), momentum (updated; starts at zero;
/// absent when momentum is 0), a factor [1] for the gradient (optional). No outputs.
class Sgd : public Op {
 public:
  explicit Sgd(const SgdAttributes& attributes) : attributes(attributes) {}
  const SgdAttributes attributes;

  std::string_view name() const override { return "sgd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  std::vector<int> mutated_inputs() const override { return {0, 3}; }
};

}  // namespace bramble::graph
