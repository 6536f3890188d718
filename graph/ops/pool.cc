#include "graph/ops/pool.h"

#include <memory>

#include "graph/backward_context.h"
#include "graph/ops/shape_rules.h"

namespace bramble::graph {
namespace {

template <class Attributes>
TensorSpec pooled(const Attributes& attributes, std::span<const TensorSpec> inputs) {
  expect_inputs(inputs, 1, 1);
  expect_rank(inputs[0], 4, "x", "[N, H, W, C]");
  require(2 * attributes.padding <= attributes.kernel, "the padding must be at most half the kernel");
  const Shape& x = inputs[0].shape;
  const auto extent = [&](std::int64_t in) {
    return window_count(in, attributes.kernel, attributes.stride, attributes.padding, 1);
  };
  return {{x[0], extent(x[1]), extent(x[2]), x[3]}};
}

}  // namespace

std::vector<TensorSpec> MaxPool2d::infer(std::span<const TensorSpec> inputs) const {
  const TensorSpec y = pooled(attributes_, inputs);
  require(attributes_.kernel <= 16, "positions in windows of more than 16 x 16 do not fit in a byte");
  return {y, {y.shape, DType::u8}};
}

void MaxPool2d::backward(BackwardContext& context) const {
  if (!context.wants(0)) return;
  const Shape& x = context.input_spec(0).shape;
  const auto op = std::make_shared<MaxPool2dBwd>(attributes_, x[1], x[2]);
  context.set_dx(0, context.emit(op, {context.dy(kY), context.output(kArgmax)})[0]);
}

std::vector<TensorSpec> MaxPool2dBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 2);
  expect_shape(inputs[1], inputs[0].shape, "argmax");
  const Shape& dy = inputs[0].shape;
  return {{{dy[0], height_, width_, dy[3]}}};
}

std::vector<TensorSpec> AvgPool2d::infer(std::span<const TensorSpec> inputs) const {
  return {pooled(attributes_, inputs)};
}

void AvgPool2d::backward(BackwardContext& context) const {
  if (!context.wants(0)) return;
  const Shape& x = context.input_spec(0).shape;
  context.set_dx(0, context.emit(std::make_shared<AvgPool2dBwd>(attributes_, x[1], x[2]), {context.dy(0)})[0]);
}

std::vector<TensorSpec> AvgPool2dBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  const Shape& dy = inputs[0].shape;
  return {{{dy[0], height_, width_, dy[3]}}};
}

std::vector<TensorSpec> GlobalAvgPool::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  expect_rank(inputs[0], 4, "x", "[N, H, W, C]");
  return {{{inputs[0].shape[0], inputs[0].shape[3]}}};
}

void GlobalAvgPool::backward(BackwardContext& context) const {
  if (!context.wants(0)) return;
  const Shape& x = context.input_spec(0).shape;
  context.set_dx(0, context.emit(std::make_shared<GlobalAvgPoolBwd>(x[1], x[2]), {context.dy(0)})[0]);
}

std::vector<TensorSpec> GlobalAvgPoolBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  const Shape& dy = inputs[0].shape;
  return {{{dy[0], height_, width_, dy[1]}}};
}

}  // namespace bramble::graph
