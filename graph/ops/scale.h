// A factor for each channel.
#pragma once

#include "graph/op.h"

namespace bramble::graph {

/// y = x * gamma, per channel. Inputs: x [.., C], gamma [C]. Outputs: y.
class Scale : public Op {
 public:
  std::string_view name() const override { return "scale"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  int in_place_input(int) const override { return 0; }
};

/// Inputs: dy, x, gamma. Outputs: dx = dy * gamma, dgamma = sum of dy * x.
class ScaleBwd : public Op {
 public:
  enum Input { kDy, kX, kGamma };
  enum Output { kDx, kDgamma };

  std::string_view name() const override { return "scale_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  int in_place_input(int output) const override { return output == kDx ? static_cast<int>(kDy) : -1; }
};

}  // namespace bramble::graph
