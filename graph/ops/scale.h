// y = x * gamma, a factor for each channel (layer scale).
#pragma once

#include "graph/backward_context.h"

namespace bramble::graph {

/// Inputs: x [..., C], gamma [C]. Output: y (as x).
class Scale : public Op {
 public:
  std::string_view name() const override { return "scale"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  int in_place_input(int) const override { return 0; }
};

/// Inputs: dy, x, gamma. Outputs: dx, dgamma.
class ScaleBwd : public Op {
 public:
  std::string_view name() const override { return "scale_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  int in_place_input(int output) const override { return output == 0 ? 0 : -1; }
};

}  // namespace bramble::graph
