#include "graph/ops/relative_position_bias.h"

#include <algorithm>
#include <memory>

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> RelativePositionBias::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  const Shape& table = inputs[0].shape;
  require(table.size() >= 2, "the table must be [entries, heads] or [heads, entries], not " + to_string(table));
  const std::int64_t heads = attributes.heads_first ? table.front() : table.back();
  const std::int64_t entries = element_count(table) / heads, length = attributes.length;
  if (static_cast<std::int64_t>(attributes.index.size()) != length * length ||
      std::any_of(attributes.index.begin(), attributes.index.end(), [&](std::int64_t e) { return e >= entries; }))
    throw ShapeError("the index does not lead " + std::to_string(length) + " x " + std::to_string(length) +
                     " pairs to a table of " + to_string(table));
  return {{{heads, length, (length + 3) / 4 * 4}}};
}

void RelativePositionBias::backward(BackwardContext& context) const {
  const auto op = std::make_shared<RelativePositionBiasBwd>(attributes, context.input_spec(0).shape);
  context.set_dx(0, context.emit(op, {context.dy(0)})[0]);
}

std::vector<TensorSpec> RelativePositionBiasBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  return {{table_shape}};
}

}  // namespace bramble::graph
