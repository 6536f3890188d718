#include "models/resnet9.h"

#include "graph/builder.h"
#include "models/blocks/drop_path_rate.h"

namespace bramble::models {
namespace {

using graph::Builder;
using graph::TensorId;

constexpr int kResiduals = 2;

TensorId layer(Builder& b, const std::string& name, TensorId x, int channels) {
  return b.relu(b.batchnorm(name + ".bn", b.conv2d(name + ".conv", x, channels, 3, {.padding = 1})));
}

TensorId halving_layer(Builder& b, const std::string& name, TensorId x, int channels) {
  return b.max_pool2d(layer(b, name, x, channels), 2, 2, 0);
}

TensorId residual(Builder& b, const std::string& name, TensorId x, int index) {
  const auto channels = static_cast<int>(b.channels(x));
  const TensorId y = layer(b, name + ".res2", layer(b, name + ".res1", x, channels), channels);
  return b.add(x, b.drop_path(y, drop_path_rate(b.config(), index, kResiduals)));
}

graph::Model build(const graph::ModelConfig& config, int width) {
  Builder b(config);
  TensorId x = layer(b, "prep", b.images(), width);
  x = residual(b, "layer1", halving_layer(b, "layer1", x, 2 * width), 0);
  x = halving_layer(b, "layer2", x, 4 * width);
  x = residual(b, "layer3", halving_layer(b, "layer3", x, 8 * width), 1);
  return b.finish(b.classifier("fc", b.global_avg_pool(x)));
}

}  // namespace

graph::Model build_resnet9_025(const ModelInfo&, const graph::ModelConfig& config) { return build(config, 16); }

}  // namespace bramble::models
