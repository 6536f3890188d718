#include "graph/ops/pool_mixer.h"

#include <memory>

#include "graph/ops/shape_rules.h"

namespace bramble::graph {

std::vector<TensorSpec> PoolMixer::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 1, 2);
  expect_rank(inputs[0], 4, "the input", "[N, H, W, C]");
  require(attributes.kernel > 0 && attributes.kernel % 2 == 1, "the kernel must be odd");
  if (has_input(inputs, 1)) expect_shape(inputs[1], {inputs[0].shape[3]}, "gamma");
  return {inputs[0]};
}

void PoolMixer::backward(BackwardContext& context) const {
  std::vector<TensorId> inputs = {context.dy(0)};
  inputs.insert(inputs.end(), context.node().inputs.begin(), context.node().inputs.end());
  const auto gradients = context.emit(std::make_shared<PoolMixerBwd>(attributes), std::move(inputs));
  for (const int i : {0, 1})
    if (context.wants(i)) context.set_dx(i, gradients[static_cast<std::size_t>(i)]);
}

std::vector<TensorSpec> PoolMixerBwd::infer(std::span<const TensorSpec> inputs) const {
  expect_inputs(inputs, 2, 3);
  return {inputs[1], {{inputs[1].shape[3]}}};
}

}  // namespace bramble::graph
