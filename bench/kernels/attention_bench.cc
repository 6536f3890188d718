// Attention of the ViTs at 224 x 224 (197 tokens, heads of 64) and of a Swin window. Names read
// attention/<model>/<pass>. The backward's rate counts its four products, not the scores that it computes again.
#include <string>

#include "bench/kernels/bound_node.h"
#include "bench/kernels/measure.h"
#include "graph/ops/attention.h"

namespace bramble::bench {
namespace {

struct Model {
  const char* name;
  int images, length, heads, head_dim;
};

constexpr Model kModels[] = {{"vit_tiny", 2, 197, 3, 64}, {"vit_base", 2, 197, 12, 64}, {"window_7x7", 64, 49, 3, 32}};

void add(const std::string& name, const graph::OpPtr& op, const std::vector<graph::TensorSpec>& inputs) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [=](benchmark::State& state) {
                                 BoundNode node(op, inputs);
                                 measure(state, {node.flops(), node.bytes()}, [&] { node.run(); });
                               })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

void register_model(const Model& model) {
  const int channels = model.heads * model.head_dim;
  const graph::TensorSpec qkv{{model.images, model.length, 3 * channels}};
  const graph::TensorSpec y{{model.images, model.length, channels}};
  const graph::TensorSpec lse{{model.images, model.heads, model.length}};
  const graph::AttentionAttributes attributes{model.heads};
  const std::string name = std::string("attention/") + model.name;
  add(name + "/fwd", std::make_shared<graph::Attention>(attributes), {qkv});
  add(name + "/bwd", std::make_shared<graph::AttentionBwd>(attributes), {y, qkv, y, lse});
}

const bool registered = [] {
  for (const Model& model : kModels) register_model(model);
  return true;
}();

}  // namespace
}  // namespace bramble::bench
