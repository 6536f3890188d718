#include "graph/ops/constant.h"

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> Constant::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 0, 0);
  if (element_count(shape_) != static_cast<std::int64_t>(values.size()))
    throw ShapeError(to_string(shape_) + " has not as many values as " + std::to_string(values.size()));
  return {{shape_}};
}

}  // namespace bramble::graph
