#include "graph/ops/layernorm.h"

#include <memory>

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> LayerNorm::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 3, 4);
  const Shape& x = inputs[0].shape;
  expect_shape(inputs[1], {x.back()}, "gamma");
  expect_shape(inputs[2], {x.back()}, "beta");
  const Shape per_row = {element_count(x) / x.back()};
  std::vector<TensorSpec> outputs = {{x}, {per_row}, {per_row}};
  if (has_input(inputs, 3)) {
    expect_shape(inputs[3], x, "the residual");
    outputs.push_back({x});
  }
  return outputs;
}

void LayerNorm::backward(BackwardContext& context) const {
  const bool summed = context.node().outputs.size() > 3;
  const TensorId ds = summed ? context.dy(3) : kNoTensor;
  if (context.dy(0) == kNoTensor) {  // only s is read further on
    for (const int i : {0, 3})
      if (context.wants(i)) context.set_dx(i, ds);
    return;
  }
  const auto gradients =
      context.emit(std::make_shared<LayerNormBwd>(), {context.dy(0), summed ? context.output(3) : context.input(0),
                                                      context.input(1), context.output(1), context.output(2), ds});
  for (const int i : {0, 1, 2})
    if (context.wants(i)) context.set_dx(i, gradients[static_cast<std::size_t>(i)]);
  if (context.wants(3)) context.set_dx(3, gradients[0]);
}

std::vector<TensorSpec> LayerNormBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 5, 6);
  return {inputs[1], inputs[2], inputs[2]};
}

}  // namespace bramble::graph
