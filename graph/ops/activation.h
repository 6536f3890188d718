// Pointwise activations that no other op has taken in.
#pragma once

#include "graph/activation.h"
#include "graph/op.h"

namespace bramble::graph {

/// y = f(x). Inputs: x. Outputs: y.
class ActivationOp : public Op {
 public:
  explicit ActivationOp(Activation activation) : kind(activation) {}
  const Activation kind;

  std::string_view name() const override { return "activation"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  int in_place_input(int) const override { return 0; }
};

/// dx = dy * f'. Inputs: dy; the forward's x where derivative_reads_input, else its y. Outputs: dx.
class ActivationBwd : public Op {
 public:
  explicit ActivationBwd(Activation activation) : kind(activation) {}
  const Activation kind;

  std::string_view name() const override { return "activation_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  int in_place_input(int) const override { return 0; }
};

}  // namespace bramble::graph
