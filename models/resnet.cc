#include "models/resnet.h"

#include <array>
#include <numeric>

#include "graph/builder.h"
#include "models/blocks/drop_path_rate.h"

namespace bramble::models {
namespace {

using graph::Builder;
using graph::TensorId;

enum class Block { basic, bottleneck };

/// Stages of 64, 128, 256, 512 channels; a bottleneck puts out four times as many.
constexpr std::array<int, 4> kWidths = {64, 128, 256, 512};
constexpr int kBottleneckExpansion = 4;

TensorId shortcut(Builder& b, const std::string& name, TensorId x, int channels, int stride) {
  if (stride == 1 && b.channels(x) == channels) return x;
  return b.batchnorm(name + ".downsample.1", b.conv2d(name + ".downsample.0", x, channels, 1, {.stride = stride}));
}

TensorId basic_block(Builder& b, const std::string& name, TensorId x, int width, int stride, float drop_path) {
  TensorId y = b.conv2d(name + ".conv1", x, width, 3, {.stride = stride, .padding = 1});
  y = b.relu(b.batchnorm(name + ".bn1", y));
  y = b.conv2d(name + ".conv2", y, width, 3, {.padding = 1});
  y = b.drop_path(b.batchnorm(name + ".bn2", y), drop_path);
  return b.relu(b.add(y, shortcut(b, name, x, width, stride)));
}

TensorId bottleneck(Builder& b, const std::string& name, TensorId x, int width, int stride, float drop_path) {
  TensorId y = b.relu(b.batchnorm(name + ".bn1", b.conv2d(name + ".conv1", x, width, 1)));
  y = b.conv2d(name + ".conv2", y, width, 3, {.stride = stride, .padding = 1});
  y = b.relu(b.batchnorm(name + ".bn2", y));
  y = b.conv2d(name + ".conv3", y, width * kBottleneckExpansion, 1);
  y = b.drop_path(b.batchnorm(name + ".bn3", y), drop_path);
  return b.relu(b.add(y, shortcut(b, name, x, width * kBottleneckExpansion, stride)));
}

graph::Model build(const graph::ModelConfig& config, Block block, const std::array<int, 4>& depths) {
  Builder b(config);
  TensorId x = b.conv2d("conv1", b.images(), 64, 7, {.stride = 2, .padding = 3});
  x = b.max_pool2d(b.relu(b.batchnorm("bn1", x)), 3, 2, 1);
  const int blocks = std::accumulate(depths.begin(), depths.end(), 0);
  int index = 0;
  for (std::size_t stage = 0; stage < depths.size(); ++stage)
    for (int i = 0; i < depths[stage]; ++i) {
      const std::string name = "layer" + std::to_string(stage + 1) + "." + std::to_string(i);
      const int stride = stage > 0 && i == 0 ? 2 : 1;
      const float drop_path = drop_path_rate(config, index++, blocks);
      x = block == Block::basic ? basic_block(b, name, x, kWidths[stage], stride, drop_path)
                                : bottleneck(b, name, x, kWidths[stage], stride, drop_path);
    }
  return b.finish(b.classifier("fc", b.global_avg_pool(x)));
}

}  // namespace

graph::Model build_resnet18(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, Block::basic, {2, 2, 2, 2});
}
graph::Model build_resnet34(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, Block::basic, {3, 4, 6, 3});
}
graph::Model build_resnet50(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, Block::bottleneck, {3, 4, 6, 3});
}

}  // namespace bramble::models
