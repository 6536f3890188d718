// A bias that no other op has taken in, and position embeddings.
#pragma once

#include "graph/op.h"

namespace bramble::graph {

/// y = x + b, b repeated over x's leading dimensions: [C], or [1, L, C] against [N, L, C] (a position embedding).
/// Inputs: x, b. Outputs: y.
class Bias : public Op {
 public:
  std::string_view name() const override { return "bias"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  int in_place_input(int) const override { return 0; }
};

/// db = dy summed over the dimensions that b was repeated over. Inputs: dy. Outputs: db.
class BiasBwdBias : public Op {
 public:
  explicit BiasBwdBias(TensorSpec bias) : bias_(std::move(bias)) {}

  std::string_view name() const override { return "bias_bwd_bias"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;

 private:
  TensorSpec bias_;
};

}  // namespace bramble::graph
