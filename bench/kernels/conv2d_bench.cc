// Convolutions and linear layers of the models, each pass, XNNPACK's forward beside ours. Names read
// conv2d/<layer>/<pass>, as in --benchmark_filter=conv2d/56x56_64_3x3/fwd/
#include <string>

#include "bench/kernels/bound_node.h"
#include "bench/kernels/measure.h"
#include "bench/kernels/xnnpack_peer.h"
#include "graph/ops/conv2d.h"
#include "graph/ops/linear.h"

namespace bramble::bench {
namespace {

using graph::Layout;
using graph::TensorSpec;

struct Layer {
  const char* name;
  int batch, size, in, out, kernel, stride, padding;
};

// ResNet's stages, its stem and a downsampling layer; MobileNetV2's pointwise layers; ViT's patches.
constexpr Layer kConvolutions[] = {{"224x224_3_64_7x7_s2", 2, 224, 3, 64, 7, 2, 3},
                                   {"56x56_64_3x3", 2, 56, 64, 64, 3, 1, 1},
                                   {"56x56_64_128_3x3_s2", 2, 56, 64, 128, 3, 2, 1},
                                   {"28x28_128_3x3", 2, 28, 128, 128, 3, 1, 1},
                                   {"14x14_256_3x3", 2, 14, 256, 256, 3, 1, 1},
                                   {"7x7_512_3x3", 2, 7, 512, 512, 3, 1, 1},
                                   {"56x56_64_256_1x1", 2, 56, 64, 256, 1, 1, 0},
                                   {"112x112_32_16_1x1", 2, 112, 32, 16, 1, 1, 0},
                                   {"56x56_24_144_1x1", 2, 56, 24, 144, 1, 1, 0},
                                   {"14x14_384_64_1x1", 2, 14, 384, 64, 1, 1, 0},
                                   {"7x7_960_320_1x1", 2, 7, 960, 320, 1, 1, 0},
                                   {"224x224_3_192_16x16_s16", 2, 224, 3, 192, 16, 16, 0}};

struct Matrix {
  const char* name;
  int rows, in, out;
};

// ViT-tiny's layers and ResNet's head.
constexpr Matrix kLinears[] = {{"394_192_576", 394, 192, 576},
                               {"394_192_768", 394, 192, 768},
                               {"394_768_192", 394, 768, 192},
                               {"788_192_768", 788, 192, 768},
                               {"16_512_1000", 16, 512, 1000}};

void run_node(benchmark::State& state, const graph::OpPtr& op, const std::vector<TensorSpec>& inputs,
              const std::vector<char>& read) {
  BoundNode node(op, inputs, read);
  measure(state, {node.flops(), node.bytes()}, [&] { node.run(); });
}

struct Passes {
  graph::OpPtr forward, by_data, by_weight;
  TensorSpec x, y, weight, bias;
};

void register_passes(const std::string& name, const Passes& p, const kernels::Conv2dShape& shape) {
  const auto add = [&](const char* pass, const graph::OpPtr& op, const std::vector<TensorSpec>& inputs,
                       const std::vector<char>& read) {
    benchmark::RegisterBenchmark((name + "/" + pass).c_str(),
                                 [=](benchmark::State& state) { run_node(state, op, inputs, read); })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  };
  add("fwd", p.forward, {p.x, p.weight, p.bias, {}}, {1, 0});
  benchmark::RegisterBenchmark((name + "/fwd_xnnpack").c_str(),
                               [=](benchmark::State& state) {
                                 XnnpackConv2d peer(shape);
                                 const double products = static_cast<double>(shape.out_rows() * shape.depth());
                                 measure(state, {2 * products * static_cast<double>(shape.out_channels), 0},
                                         [&] { peer.run(); });
                               })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
  add("bwd_data", p.by_data, {p.y, p.weight, {}}, {1});
  add("bwd_weight", p.by_weight, {p.x, p.y}, {1, 0});
}

void register_convolution(const Layer& layer) {
  graph::Conv2dAttributes attributes;
  attributes.out_channels = layer.out;
  attributes.kernel_h = attributes.kernel_w = layer.kernel;
  attributes.stride = layer.stride;
  attributes.padding = layer.padding;
  attributes.activation = graph::Activation::relu;
  const kernels::Conv2dShape shape{layer.batch,  layer.size,   layer.size,   layer.in,      layer.out,
                                   layer.kernel, layer.kernel, layer.stride, layer.padding, 1, 1};
  Passes p;
  p.x.shape = {layer.batch, layer.size, layer.size, layer.in};
  p.y.shape = {layer.batch, shape.out_height(), shape.out_width(), layer.out};
  p.weight.shape = {layer.out, layer.in, layer.kernel, layer.kernel};
  p.weight.layout = Layout::gemm_weight;
  p.bias.shape = {layer.out};
  p.forward = std::make_shared<graph::Conv2d>(attributes);
  p.by_data = std::make_shared<graph::Conv2dBwdData>(attributes, p.x.shape);
  p.by_weight = std::make_shared<graph::Conv2dBwdWeight>(attributes, p.weight);
  register_passes(std::string("conv2d/") + layer.name, p, shape);
}

void register_linear(const Matrix& matrix) {
  kernels::Conv2dShape shape;
  shape.in_width = matrix.rows;
  shape.in_channels = matrix.in;
  shape.out_channels = matrix.out;
  Passes p;
  p.x.shape = {matrix.rows, matrix.in};
  p.y.shape = {matrix.rows, matrix.out};
  p.weight.shape = {matrix.out, matrix.in};
  p.weight.layout = Layout::gemm_weight;
  p.bias.shape = {matrix.out};
  p.forward = std::make_shared<graph::Linear>(graph::LinearAttributes{matrix.out, graph::Activation::relu});
  p.by_data = std::make_shared<graph::LinearBwdData>();
  p.by_weight = std::make_shared<graph::LinearBwdWeight>();
  register_passes(std::string("linear/") + matrix.name, p, shape);
}

const bool registered = [] {
  for (const Layer& layer : kConvolutions) register_convolution(layer);
  for (const Matrix& matrix : kLinears) register_linear(matrix);
  return true;
}();

}  // namespace
}  // namespace bramble::bench
