// Depthwise convolutions of MobileNetV2 and MnasNet, each pass, XNNPACK's forward beside ours. Names read
// depthwise_conv2d/<layer>/<pass>.
#include <string>

#include "bench/kernels/bound_node.h"
#include "bench/kernels/measure.h"
#include "bench/kernels/xnnpack_peer.h"
#include "graph/ops/depthwise_conv2d.h"

namespace bramble::bench {
namespace {

struct Layer {
  const char* name;
  int size, channels, kernel, stride;
};

constexpr int kBatch = 2;
constexpr Layer kLayers[] = {{"112x112_32_3x3", 112, 32, 3, 1}, {"112x112_96_3x3_s2", 112, 96, 3, 2},
                             {"56x56_144_3x3", 56, 144, 3, 1},  {"14x14_384_3x3", 14, 384, 3, 1},
                             {"7x7_960_3x3", 7, 960, 3, 1},     {"28x28_120_5x5", 28, 120, 5, 1},
                             {"14x14_480_5x5_s2", 14, 480, 5, 2}};

void add(const std::string& name, const graph::OpPtr& op, const std::vector<graph::TensorSpec>& inputs,
         const std::vector<char>& read) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [=](benchmark::State& state) {
                                 BoundNode node(op, inputs, read);
                                 measure(state, {node.flops(), node.bytes()}, [&] { node.run(); });
                               })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

void register_layer(const Layer& layer) {
  graph::DepthwiseConv2dAttributes attributes;
  attributes.kernel_h = attributes.kernel_w = layer.kernel;
  attributes.stride = layer.stride;
  attributes.padding = layer.kernel / 2;
  const int out = (layer.size - 1) / layer.stride + 1;
  const graph::TensorSpec x{{kBatch, layer.size, layer.size, layer.channels}};
  const graph::TensorSpec y{{kBatch, out, out, layer.channels}};
  const graph::TensorSpec weight{{layer.channels, 1, layer.kernel, layer.kernel},
                                 graph::DType::f32,
                                 graph::Layout::depthwise_weight};
  const std::string name = std::string("depthwise_conv2d/") + layer.name;
  add(name + "/fwd", std::make_shared<graph::DepthwiseConv2d>(attributes), {x, weight}, {1});
  const kernels::Conv2dShape shape{kBatch,         layer.size,   layer.size,   layer.channels,
                                   layer.channels, layer.kernel, layer.kernel, layer.stride,
                                   attributes.padding, 1,        layer.channels};
  const Work work{2.0 * static_cast<double>(graph::element_count(y.shape) * shape.depth()),
                  sizeof(float) * static_cast<double>(graph::element_count(x.shape) + graph::element_count(y.shape))};
  benchmark::RegisterBenchmark((name + "/fwd_xnnpack").c_str(),
                               [=](benchmark::State& state) {
                                 XnnpackConv2d peer(shape);
                                 measure(state, work, [&] { peer.run(); });
                               })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
  add(name + "/bwd_data", std::make_shared<graph::DepthwiseConv2dBwdData>(attributes, x.shape), {y, weight}, {1});
  add(name + "/bwd_weight", std::make_shared<graph::DepthwiseConv2dBwdWeight>(attributes, weight), {x, y}, {1, 0});
}

const bool registered = [] {
  for (const Layer& layer : kLayers) register_layer(layer);
  return true;
}();

}  // namespace
}  // namespace bramble::bench
