// The last two dimensions exchanged, y[n][c][l] = x[n][l][c] + addend[n][c][l]: tokens are mixed by linear layers then.
#pragma once

#include "graph/backward_context.h"

namespace bramble::graph {

/// Inputs: x [N, L, C], optional addend [N, C, L]. Output: y [N, C, L]. Its own gradient.
class Transpose : public Op {
 public:
  std::string_view name() const override { return "transpose"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  int in_place_input(int) const override { return 1; }
  int addend_input() const override { return 1; }
};

}  // namespace bramble::graph
