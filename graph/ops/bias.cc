#include "graph/ops/bias.h"

#include <algorithm>
#include <memory>

#include "graph/backward_context.h"
#include "graph/ops/shape_rules.h"

namespace bramble::graph {
namespace {

/// b's extents without leading ones have to be x's last ones.
void require_repeats(const TensorSpec& x, const TensorSpec& b) {
  const auto first = std::find_if(b.shape.begin(), b.shape.end(), [](std::int64_t extent) { return extent != 1; });
  const Shape core(first, b.shape.end());
  const bool fits = core.size() <= x.shape.size() && std::equal(core.rbegin(), core.rend(), x.shape.rbegin());
  require(fits, "the bias is " + to_string(b.shape) + ", but has to have the last extents of " + to_string(x.shape));
}

}  // namespace

std::vector<TensorSpec> Bias::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 2);
  require_repeats(inputs[0], inputs[1]);
  return {inputs[0]};
}

void Bias::backward(BackwardContext& context) const {
  if (context.wants(0)) context.set_dx(0, context.dy(0));
  if (!context.wants(1)) return;
  context.set_dx(1, context.emit(std::make_shared<BiasBwdBias>(context.input_spec(1)), {context.dy(0)})[0]);
}

std::vector<TensorSpec> BiasBwdBias::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  require_repeats(inputs[0], bias_);
  return {bias_};
}

}  // namespace bramble::graph
