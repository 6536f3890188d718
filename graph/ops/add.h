// y = f(a + b), of tensors of one shape.
#pragma once

#include "graph/activation.h"
#include "graph/op.h"

namespace bramble::graph {

struct AddAttributes {
  Activation activation = Activation::none;  ///< none, relu, relu6
};

/// y = f(a + b), of one shape. Inputs: a, b. Outputs: y.
class Add : public Op {
 public:
  explicit Add(const AddAttributes& values = {}) : attributes(values) {}
  const AddAttributes attributes;

  std::string_view name() const override { return "add"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  int in_place_input(int) const override { return 0; }
  OpPtr with_activation(Activation kind, bool has_addend) const override;
};

}  // namespace bramble::graph
