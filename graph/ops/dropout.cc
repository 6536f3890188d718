#include "graph/ops/dropout.h"

#include <memory>

#include "graph/ops/shape_rules.h"

namespace bramble::graph {
namespace {

void check(const DropAttributes& attributes, const TensorSpec& step) {
  require(attributes.rate >= 0 && attributes.rate < 1, "the rate must be at least 0 and below 1");
  expect_shape(step, {1}, "the step's number");
  require(step.dtype == DType::i32, "the step's number must be i32");
}

}  // namespace

std::vector<TensorSpec> Dropout::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 2);
  check(attributes, inputs[1]);
  return {inputs[0]};
}

void Dropout::backward(BackwardContext& context) const {
  if (context.wants(0))
    context.set_dx(0, context.emit(std::make_shared<Dropout>(attributes), {context.dy(0), context.input(1)})[0]);
}

std::vector<TensorSpec> DropPath::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 3);
  check(attributes, inputs[1]);
  if (has_input(inputs, 2)) expect_shape(inputs[2], inputs[0].shape, "the addend");
  return {inputs[0]};
}

void DropPath::backward(BackwardContext& context) const {
  if (context.wants(0))
    context.set_dx(0, context.emit(std::make_shared<DropPath>(attributes), {context.dy(0), context.input(1)})[0]);
  if (context.wants(2)) context.set_dx(2, context.dy(0));
}

}  // namespace bramble::graph
