// A weight's gradient that goes to the optimiser piece by piece as it is computed, while each piece is in a cache: it
// never lies in memory as a whole.
#pragma once

#include "graph/op.h"

namespace bramble::graph {

/// Inputs: those of the gradient's op, then those of the update's (sgd, adamw, lion) with none for its gradient.
/// Outputs: those of the gradient's op; nobody may read the weight's gradient among them.
class WithUpdate : public Op {
 public:
  /// `of_gradient`'s weight_gradient_output() must be one.
  WithUpdate(OpPtr of_gradient, std::size_t of_gradients_inputs, OpPtr of_update)
      : gradient(std::move(of_gradient)), gradient_inputs(of_gradients_inputs), update(std::move(of_update)) {}
  const OpPtr gradient;
  const std::size_t gradient_inputs;
  const OpPtr update;

  std::string_view name() const override { return gradient->name(); }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  std::vector<int> mutated_inputs() const override;
  int in_place_input(int output) const override { return gradient->in_place_input(output); }
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;
};

}  // namespace bramble::graph
