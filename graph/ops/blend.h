// y = keep * y + share * x, in place: moving averages of parameters, gradients summed over several batches.
#pragma once

#include "graph/op.h"

namespace bramble::graph {

/// Inputs: y (updated), x, weights [2] (keep, share; read at every step; with keep 0, y need hold nothing). No outputs.
class Blend : public Op {
 public:
  std::string_view name() const override { return "blend"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  std::vector<int> mutated_inputs() const override { return {0}; }
};

}  // namespace bramble::graph
