// What is left out at random in training, and the rest scaled up for it: single elements, or whole samples of a residual
// branch. The masks follow from a seed, the layer and the step's number, so that they are the same for any number of
// threads and are made again, not kept, for the gradient.
#pragma once

#include "graph/backward_context.h"

namespace bramble::graph {

struct DropAttributes {
  float rate = 0;  ///< below 1; what is kept is divided by 1 - rate
  std::uint64_t seed = 0;
  std::uint32_t layer = 0;  ///< another in every layer of a model
};

/// Inputs: x, the step's number [1] (i32). Output: y (as x), each element x / (1 - rate) or 0. Its own gradient.
class Dropout : public Op {
 public:
  explicit Dropout(const DropAttributes& values) : attributes(values) {}
  const DropAttributes attributes;

  std::string_view name() const override { return "dropout"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  int in_place_input(int) const override { return 0; }
};

/// Stochastic depth. Inputs: x [N, ...], the step's number [1] (i32), optional addend (as x). Output: y (as x), each sample
/// x / (1 - rate) + addend, or the addend alone. Its own gradient.
class DropPath : public Op {
 public:
  explicit DropPath(const DropAttributes& values) : attributes(values) {}
  const DropAttributes attributes;

  std::string_view name() const override { return "drop_path"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  int in_place_input(int) const override { return 0; }
  int addend_input() const override { return 2; }
};

}  // namespace bramble::graph
