// Values that follow from the architecture alone, such as coordinates.
#pragma once

#include "graph/op.h"

namespace bramble::graph {

/// No input. Output: the values, row-major.
class Constant : public Op {
 public:
  Constant(Shape shape, std::vector<float> contents) : values(std::move(contents)), shape_(std::move(shape)) {}
  const std::vector<float> values;

  std::string_view name() const override { return "constant"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;

 private:
  Shape shape_;
};

}  // namespace bramble::graph
