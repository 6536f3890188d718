#include "graph/ops/resize.h"

#include <memory>

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> Resize::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  expect_rank(inputs[0], 4, "the input", "[N, H, W, C]");
  require(height > 0 && width > 0, "height and width must be at least 1");
  require(mode != ResizeMode::adaptive_average || (height >= inputs[0].shape[1] && width >= inputs[0].shape[2]),
          "an adaptive average makes no smaller image");
  return {{{inputs[0].shape[0], height, width, inputs[0].shape[3]}}};
}

void Resize::backward(BackwardContext& context) const {
  context.set_dx(0, context.emit(std::make_shared<ResizeBwd>(mode, context.input_spec(0).shape), {context.dy(0)})[0]);
}

std::vector<TensorSpec> ResizeBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 1);
  return {{input_shape}};
}

}  // namespace bramble::graph
