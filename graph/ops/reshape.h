// The same values under another shape. No work: a view.
#pragma once

#include "graph/backward_context.h"

namespace bramble::graph {

class Reshape : public Op {
 public:
  explicit Reshape(Shape shape) : shape_(std::move(shape)) {}

  std::string_view name() const override { return "reshape"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  int in_place_input(int) const override { return 0; }
  bool is_view(int) const override { return true; }

 private:
  Shape shape_;
};

}  // namespace bramble::graph
