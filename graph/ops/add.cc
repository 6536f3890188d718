#include "graph/ops/add.h"

#include <memory>

#include "graph/backward_context.h"
#include "graph/ops/activation.h"
#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> Add::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 2);
  expect_shape(inputs[1], inputs[0].shape, "the second term");
  return {inputs[0]};
}

void Add::backward(BackwardContext& context) const {
  if (!context.wants(0) && !context.wants(1)) return;
  TensorId dx = context.dy(0);
  if (attributes.activation != Activation::none)
    dx = context.emit(std::make_shared<ActivationBwd>(attributes.activation), {dx, context.output(0)})[0];
  for (const int i : {0, 1})
    if (context.wants(i)) context.set_dx(i, dx);
}

OpPtr Add::with_activation(Activation kind, bool) const {
  // a + b is not kept.
  if (attributes.activation != Activation::none || !is_clamp(kind)) return nullptr;
  return std::make_shared<Add>(AddAttributes{kind});
}

}  // namespace bramble::graph
