// Stochastic gradient descent's update of one parameter.
#pragma once

#include "graph/op.h"

namespace bramble::graph {

struct SgdAttributes {
  float momentum = 0;
  float weight_decay = 0;
  bool nesterov = false;
};

/// PyTorch's: g = grad + weight_decay * param; buffer = momentum * buffer + g; g = nesterov ? g + momentum * buffer :
/// buffer; param -= rate * g.
/// Inputs: param (updated), grad, rate [1], buffer (updated; zero at first; absent without momentum). No outputs.
class Sgd : public Op {
 public:
  enum Input { kParam, kGrad, kRate, kBuffer };

  explicit Sgd(SgdAttributes attributes) : attributes_(attributes) {}
  const SgdAttributes& attributes() const { return attributes_; }

  std::string_view name() const override { return "sgd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  std::vector<int> mutated_inputs() const override;

 private:
  SgdAttributes attributes_;
};

}  // namespace bramble::graph
