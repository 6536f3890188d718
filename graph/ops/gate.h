// y = x * gate, the gate being an image as large as x or smaller, whose nearest pixel counts.
#pragma once

#include "graph/backward_context.h"

namespace bramble::graph {

/// Inputs: x [N, H, W, C], gate [N, H' <= H, W' <= W, C]. Output: y (as x).
class Gate : public Op {
 public:
  std::string_view name() const override { return "gate"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
};

/// Inputs: dy, x, gate. Outputs: dx, dgate.
class GateBwd : public Op {
 public:
  std::string_view name() const override { return "gate_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  int in_place_input(int output) const override { return output == 0 ? 0 : -1; }
};

}  // namespace bramble::graph
