#include "graph/ops/pool.h"

#include "graph/backward_context.h"
#include "graph/ops/shape_check.h"

namespace bramble::graph {
namespace {

template <class Attributes>
TensorSpec pooled(const Attributes& attributes, std::span<const TensorSpec> inputs) {
  require_inputs(inputs, 1, 1);
  require_rank(inputs[0], 4, "[N, H, W, C]");
  const auto [kernel, stride, padding] = std::tuple(attributes.kernel, attributes.stride, attributes.padding);
  require(kernel >= 1 && stride >= 1, "kernel and stride have to be at least 1");
  require(padding >= 0 && 2 * padding <= kernel, "the padding has to be at most half the kernel, or windows are empty");
  const Shape& x = inputs[0].shape;
  require(x[1] + 2 * padding >= kernel && x[2] + 2 * padding >= kernel,
          "a window of " + std::to_string(kernel) + " does not fit in " + to_string(x));
  const auto extent = [&](std::int64_t in) { return (in + 2 * padding - kernel) / stride + 1; };
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
  require_inputs(inputs, 2, 2);
  require_shape(inputs[1], inputs[0].shape, "argmax");
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
  require_inputs(inputs, 1, 1);
  const Shape& dy = inputs[0].shape;
  return {{{dy[0], height_, width_, dy[3]}}};
}

std::vector<TensorSpec> GlobalAvgPool::infer(std::span<const TensorSpec> inputs) const {
  require_inputs(inputs, 1, 1);
  require_rank(inputs[0], 4, "[N, H, W, C]");
  return {{{inputs[0].shape[0], inputs[0].shape[3]}}};
}

void GlobalAvgPool::backward(BackwardContext& context) const {
  if (!context.wants(0)) return;
  const Shape& x = context.input_spec(0).shape;
  context.set_dx(0, context.emit(std::make_shared<GlobalAvgPoolBwd>(x[1], x[2]), {context.dy(0)})[0]);
}

std::vector<TensorSpec> GlobalAvgPoolBwd::infer(std::span<const TensorSpec> inputs) const {
  require_inputs(inputs, 1, 1);
  const Shape& dy = inputs[0].shape;
  return {{{dy[0], height_, width_, dy[1]}}};
}

}  // namespace bramble::graph
