#include "graph/ops/repeat_interleave.h"

#include <memory>

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> RepeatInterleave::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  require(times > 0, "times must be at least 1");
  Shape shape = inputs[0].shape;
  shape.back() *= times;
  return {{shape}};
}

void RepeatInterleave::backward(BackwardContext& context) const {
  context.set_dx(0, context.emit(std::make_shared<RepeatInterleaveBwd>(times), {context.dy(0)})[0]);
}

std::vector<TensorSpec> RepeatInterleaveBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  Shape shape = inputs[0].shape;
  require(shape.back() % times == 0, "the channels must be a multiple of times");
  shape.back() /= times;
  return {{shape}};
}

}  // namespace bramble::graph
