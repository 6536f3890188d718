// Tensors side by side along the last dimension, and the way back.
#pragma once

#include "graph/backward_context.h"

namespace bramble::graph {

/// Inputs: any number, [..., sizes[i]]; an absent one counts as zeros. Output: [..., sum of sizes].
class Concat : public Op {
 public:
  explicit Concat(std::vector<std::int64_t> channels) : sizes(std::move(channels)) {}
  const std::vector<std::int64_t> sizes;

  std::string_view name() const override { return "concat"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
};

/// Input: x [..., sum of sizes]. Outputs: [..., sizes[i]]; those that nobody reads cost nothing.
class Split : public Op {
 public:
  explicit Split(std::vector<std::int64_t> channels) : sizes(std::move(channels)) {}
  const std::vector<std::int64_t> sizes;

  std::string_view name() const override { return "split"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
};

}  // namespace bramble::graph
