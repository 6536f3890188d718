#include "graph/ops/pool.h"

#include <memory>

#include "graph/ops/shape_rules.h"

namespace bramble::graph {
namespace {

Shape pooled_shape(const TensorSpec& input, const Pool2dAttributes& pool) {
  expect_rank(input, 4, "the input", "[N, H, W, C]");
  if (pool.padding * 2 > pool.kernel) throw ShapeError("padding must be at most half the kernel");
  const Shape& x = input.shape;
  return {x[0], window_count(x[1], pool.kernel, pool.stride, pool.padding, 1),
          window_count(x[2], pool.kernel, pool.stride, pool.padding, 1), x[3]};
}

}  // namespace

std::vector<TensorSpec> MaxPool2d::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 4);
  if (attributes.kernel > 15) throw ShapeError("kernels above 15 have more taps than the saved byte can name");
  const Shape y = pooled_shape(inputs[0], attributes);
  return {{y}, {y, DType::u8}};
}

void MaxPool2d::backward(BackwardContext& context) const {
  context.set_dx(0, context.emit(std::make_shared<MaxPool2dBwd>(attributes, context.input_spec(0).shape),
                                 {context.dy(0), context.output(1)})[0]);
}

OpPtr MaxPool2d::with_normalised_input(int, Activation kind) const {
  return normalisation ? nullptr : std::make_shared<MaxPool2d>(attributes, kind);
}

std::vector<TensorSpec> MaxPool2dBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 2);
  return {{input_shape}};
}

std::vector<TensorSpec> AvgPool2d::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  return {{pooled_shape(inputs[0], attributes)}};
}

void AvgPool2d::backward(BackwardContext& context) const {
  context.set_dx(
      0, context.emit(std::make_shared<AvgPool2dBwd>(attributes, context.input_spec(0).shape), {context.dy(0)})[0]);
}

std::vector<TensorSpec> AvgPool2dBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  return {{input_shape}};
}

std::vector<TensorSpec> GlobalAvgPool::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  expect_rank(inputs[0], 4, "the input", "[N, H, W, C]");
  return {{{inputs[0].shape[0], inputs[0].shape[3]}}};
}

void GlobalAvgPool::backward(BackwardContext& context) const {
  context.set_dx(0,
                 context.emit(std::make_shared<GlobalAvgPoolBwd>(context.input_spec(0).shape), {context.dy(0)})[0]);
}

std::vector<TensorSpec> GlobalAvgPoolBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  return {{input_shape}};
}

}  // namespace bramble::graph
