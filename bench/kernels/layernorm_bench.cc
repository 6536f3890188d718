// LayerNorm of the ViTs at 224 x 224 (197 tokens). Names read layernorm/<model>/<pass>; bound by memory.
#include <string>

#include "bench/kernels/bound_node.h"
#include "bench/kernels/measure.h"
#include "graph/ops/layernorm.h"

namespace bramble::bench {
namespace {

struct Model {
  const char* name;
  std::int64_t images, length, channels;
};

constexpr Model kModels[] = {{"vit_tiny", 16, 197, 192}, {"vit_base", 4, 197, 768}, {"odd", 16, 197, 190}};

void add(const std::string& name, const graph::OpPtr& op, const std::vector<graph::TensorSpec>& inputs) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [=](benchmark::State& state) {
                                 BoundNode node(op, inputs);
                                 measure(state, {0, node.bytes()}, [&] { node.run(); });
                               })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

void register_model(const Model& model) {
  const graph::TensorSpec x{{model.images, model.length, model.channels}};
  const graph::TensorSpec per_channel{{model.channels}};
  const graph::TensorSpec per_row{{model.images * model.length}};
  const std::string name = std::string("layernorm/") + model.name;
  const auto forward = std::make_shared<graph::LayerNorm>(graph::LayerNormAttributes{});
  add(name + "/fwd", forward, {x, per_channel, per_channel});
  add(name + "/fwd_residual", forward, {x, per_channel, per_channel, x});
  add(name + "/bwd", std::make_shared<graph::LayerNormBwd>(), {x, x, per_channel, per_row, per_row, x});
}

const bool registered = [] {
  for (const Model& model : kModels) register_model(model);
  return true;
}();

}  // namespace
}  // namespace bramble::bench
