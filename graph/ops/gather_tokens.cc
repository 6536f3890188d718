#include "graph/ops/gather_tokens.h"

#include <algorithm>
#include <memory>

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

TokenLists TokenLists::transposed(std::int64_t first, std::int64_t count) const {
  std::vector<std::vector<std::int32_t>> targets(static_cast<std::size_t>(count));
  for (std::int32_t i = 0; i < length(); ++i)
    for (std::int32_t k = starts[static_cast<std::size_t>(i)]; k < starts[static_cast<std::size_t>(i) + 1]; ++k) {
      const std::int64_t source = rows[static_cast<std::size_t>(k)] - first;
      if (source >= 0 && source < count) targets[static_cast<std::size_t>(source)].push_back(i);
    }
  TokenLists lists;
  for (const std::vector<std::int32_t>& list : targets) {
    lists.rows.insert(lists.rows.end(), list.begin(), list.end());
    lists.starts.push_back(static_cast<std::int32_t>(lists.rows.size()));
  }
  return lists;
}

std::vector<TensorSpec> GatherTokens::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 2);
  expect_rank(inputs[0], 3, "the input", "[N, L, C]");
  const Shape& x = inputs[0].shape;
  std::int64_t tokens = x[1];
  if (has_input(inputs, 1)) {
    expect_rank(inputs[1], 3, "the second input", "[N, L, C]");
    const Shape& z = inputs[1].shape;
    require(z[0] == x[0] && z[2] == x[2], to_string(x) + " and " + to_string(z) + " do not fit");
    tokens += z[1];
  }
  if (std::any_of(lists.rows.begin(), lists.rows.end(), [&](std::int64_t row) { return row < 0 || row >= tokens; }))
    throw ShapeError("a token is gathered that is not among " + std::to_string(tokens));
  return {{{x[0], lists.length(), x[2]}}};
}

void GatherTokens::backward(BackwardContext& context) const {
  std::int64_t first = 0;
  for (const int i : {0, 1}) {
    if (i >= static_cast<int>(context.node().inputs.size())) return;
    const std::int64_t count = context.input_spec(i).shape[1];
    if (context.wants(i))
      context.set_dx(i,
                     context.emit(std::make_shared<GatherTokens>(lists.transposed(first, count)), {context.dy(0)})[0]);
    first += count;
  }
}

}  // namespace bramble::graph
