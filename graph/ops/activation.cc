#include "graph/ops/activation.h"

#include <memory>

#include "graph/backward_context.h"
#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> ActivationOp::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  return {inputs[0]};
}

void ActivationOp::backward(BackwardContext& context) const {
  if (!context.wants(0)) return;
  if (kind == Activation::none) return context.set_dx(0, context.dy(0));
  const TensorId saved = derivative_reads_input(kind) ? context.input(0) : context.output(0);
  context.set_dx(0, context.emit(std::make_shared<ActivationBwd>(kind), {context.dy(0), saved})[0]);
}

std::vector<TensorSpec> ActivationBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 2);
  expect_shape(inputs[1], inputs[0].shape, "the saved tensor");
  return {inputs[0]};
}

}  // namespace bramble::graph
