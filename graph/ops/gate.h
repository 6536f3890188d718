// y = x * gate, the gate being an image as large as x or smaller, whose nearest pixel counts.
#pragma once

#include <memory>

#include "graph/backward_context.h"
#include "graph/ops/concat.h"

namespace bramble::graph {

/// Inputs: x [N, H, W, C], gate [N, H' <= H, W' <= W, C]; where x is joined here, x is absent and that concatenation's
/// inputs follow. Output: y (as x).
class Gate : public Op {
 public:
  explicit Gate(std::shared_ptr<const Concat> concat = nullptr) : joined(std::move(concat)) {}
  const std::shared_ptr<const Concat> joined;
  static constexpr int kFirstPart = 2;

  std::string_view name() const override { return "gate"; }
  bool takes_part(int input) const override { return joined && joined->takes_part(input - kFirstPart); }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
};

/// Inputs: dy, x, gate, where x is joined here that concatenation's inputs. Outputs: dx, dgate.
class GateBwd : public Op {
 public:
  explicit GateBwd(std::shared_ptr<const Concat> concat = nullptr) : joined(std::move(concat)) {}
  const std::shared_ptr<const Concat> joined;
  static constexpr int kFirstPart = 3;

  std::string_view name() const override { return "gate_bwd"; }
  bool takes_part(int input) const override { return joined && joined->takes_part(input - kFirstPart); }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  int in_place_input(int output) const override { return output == 0 ? 0 : -1; }
};

}  // namespace bramble::graph
