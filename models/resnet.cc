#include "models/resnet.h"

#include <array>

#include "graph/builder.h"

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

TensorId basic_block(Builder& b, const std::string& name, TensorId x, int width, int stride) {
  TensorId y = b.conv2d(name + ".conv1", x, width, 3, {.stride = stride, .padding = 1});
  y = b.relu(b.batchnorm(name + ".bn1", y));
  y = b.conv2d(name + ".conv2", y, width, 3, {.padding = 1});
  y = b.batchnorm(name + ".bn2", y);
  return b.relu(b.add(y, shortcut(b, name, x, width, stride)));
}

TensorId bottleneck(Builder& b, const std::string& name, TensorId x, int width, int stride) {
  TensorId y = b.relu(b.batchnorm(name + ".bn1", b.conv2d(name + ".conv1", x, width, 1)));
  y = b.conv2d(name + ".conv2", y, width, 3, {.stride = stride, .padding = 1});
  y = b.relu(b.batchnorm(name + ".bn2", y));
  y = b.conv2d(name + ".conv3", y, width * kBottleneckExpansion, 1);
  y = b.batchnorm(name + ".bn3", y);
  return b.relu(b.add(y, shortcut(b, name, x, width * kBottleneckExpansion, stride)));
}

graph::Model build(const graph::ModelConfig& config, Block block, const std::array<int, 4>& depths) {
  Builder b(config);
  TensorId x = b.conv2d("conv1", b.images(), 64, 7, {.stride = 2, .padding = 3});
  x = b.max_pool2d(b.relu(b.batchnorm("bn1", x)), 3, 2, 1);
  for (std::size_t stage = 0; stage < depths.size(); ++stage)
    for (int i = 0; i < depths[stage]; ++i) {
      const std::string name = "layer" + std::to_string(stage + 1) + "." + std::to_string(i);
      const int stride = stage > 0 && i == 0 ? 2 : 1;
      x = block == Block::basic ? basic_block(b, name, x, kWidths[stage], stride)
                                : bottleneck(b, name, x, kWidths[stage], stride);
    }
  return b.finish(b.linear("fc", b.global_avg_pool(x), static_cast<int>(config.classes)));
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
