// y = x + b, with b broadcast over the leading dimensions: [C], or a position embedding [1, L, C] against [N, L, C].
#pragma once

#include "graph/backward_context.h"

namespace bramble::graph {

/// Inputs: x, bias. Output: y (as x).
class Bias : public Op {
 public:
  std::string_view name() const override { return "bias"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  int in_place_input(int) const override { return 0; }
};

/// Input: dy. Output: db [bias], the sum of dy over what was broadcast.
class BiasBwd : public Op {
 public:
  explicit BiasBwd(Shape bias_shape) : bias_shape(std::move(bias_shape)) {}
  const Shape bias_shape;

  std::string_view name() const override { return "bias_bwd_bias"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
};

}  // namespace bramble::graph
