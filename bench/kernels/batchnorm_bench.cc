// BatchNorm as ResNet-50 and MobileNetV2 use it, in training. Names read batchnorm/<layer>/<pass>. Bound by memory: the
// statistics need a pass of their own each way, so a tensor that no cache holds crosses the bus 3 times forward (x
// twice, y; a residual once more) and 5 times backward (dy and x twice, dx; with a residual y twice and its gradient).
#include <string>

#include "bench/kernels/bound_node.h"
#include "bench/kernels/measure.h"
#include "graph/ops/batchnorm.h"

namespace bramble::bench {
namespace {

struct Layer {
  const char* name;
  std::int64_t images, size, channels;
  graph::Activation activation;
  bool residual;
};

constexpr Layer kLayers[] = {
    {"resnet_stem_relu", 2, 112, 64, graph::Activation::relu, false},
    {"resnet_stage1_residual_relu", 2, 56, 256, graph::Activation::relu, true},
    {"mobilenet_expand1_relu6", 2, 112, 96, graph::Activation::relu6, false},
    {"mobilenet_project1", 2, 112, 16, graph::Activation::none, false},
    {"mobilenet_stage2_relu6", 2, 56, 144, graph::Activation::relu6, false},
    {"mobilenet_head_relu6", 2, 7, 1280, graph::Activation::relu6, false},
};

void add(const std::string& name, const graph::OpPtr& op, const std::vector<graph::TensorSpec>& inputs,
         std::vector<char> read, double bytes) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [=](benchmark::State& state) {
                                 BoundNode node(op, inputs, read);
                                 measure(state, {0, bytes}, [&] { node.run(); });
                               })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

void register_layer(const Layer& layer) {
  const graph::TensorSpec x{{layer.images, layer.size, layer.size, layer.channels}};
  const graph::TensorSpec per_channel{{layer.channels}};
  const graph::TensorSpec residual = layer.residual ? x : graph::TensorSpec{};
  const graph::BatchNormAttributes attributes{.activation = layer.activation};
  const std::string name = std::string("batchnorm/") + layer.name;
  const double pass = static_cast<double>(graph::element_count(x.shape)) * sizeof(float);
  add(name + "/fwd", std::make_shared<graph::BatchNorm>(attributes),
      {x, per_channel, per_channel, per_channel, per_channel, residual}, {}, pass * (layer.residual ? 4 : 3));
  add(name + "/bwd", std::make_shared<graph::BatchNormBwd>(attributes),
      {x, x, per_channel, per_channel, per_channel, per_channel, residual}, {1, 1, 1, layer.residual},
      pass * (layer.residual ? 8 : 5));
}

const bool registered = [] {
  for (const Layer& layer : kLayers) register_layer(layer);
  return true;
}();

}  // namespace
}  // namespace bramble::bench
