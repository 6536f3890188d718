#include "models/convnext.h"

#include <array>
#include <numeric>

#include "graph/builder.h"
#include "models/blocks/drop_path_rate.h"

namespace bramble::models {
namespace {

using graph::Builder;
using graph::TensorId;

constexpr int kStages = 4;
constexpr int kMlpRatio = 4;
constexpr float kLayerNormEps = 1e-6F;

struct Variant {
  std::array<int, kStages> depths;
  std::array<int, kStages> channels;
};

/// x + gamma * mlp(norm(depthwise 7x7)); the perceptron is over the channels, as NHWC has them.
TensorId block(Builder& b, const std::string& name, TensorId x, float drop_path) {
  const int channels = static_cast<int>(b.channels(x));
  const TensorId gamma = b.parameter(name + ".gamma", {channels});
  TensorId y = b.conv2d(name + ".conv_dw", x, channels, 7, {.padding = 3, .groups = channels, .bias = true});
  y = b.layernorm(name + ".norm", y, kLayerNormEps);
  y = b.gelu(b.linear(name + ".mlp.fc1", y, kMlpRatio * channels));
  y = b.scale(b.linear(name + ".mlp.fc2", y, channels), gamma);
  return b.add(b.drop_path(y, drop_path), x);
}

graph::Model build(const graph::ModelConfig& config, const Variant& variant) {
  Builder b(config);
  TensorId x = b.conv2d("stem.0", b.images(), variant.channels[0], 4, {.stride = 4, .bias = true});
  x = b.layernorm("stem.1", x, kLayerNormEps);
  const int blocks = std::accumulate(variant.depths.begin(), variant.depths.end(), 0);
  int index = 0;
  for (std::size_t s = 0; s < kStages; ++s) {
    const std::string stage = "stages." + std::to_string(s);
    if (s > 0) {
      x = b.layernorm(stage + ".downsample.0", x, kLayerNormEps);
      x = b.conv2d(stage + ".downsample.1", x, variant.channels[s], 2, {.stride = 2, .bias = true});
    }
    for (int i = 0; i < variant.depths[s]; ++i)
      x = block(b, stage + ".blocks." + std::to_string(i), x, drop_path_rate(config, index++, blocks));
  }
  x = b.layernorm("head.norm", b.global_avg_pool(x), kLayerNormEps);
  return b.finish(b.classifier("head.fc", x));
}

}  // namespace

graph::Model build_convnext_tiny(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {{3, 3, 9, 3}, {96, 192, 384, 768}});
}
graph::Model build_convnext_small(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {{3, 3, 27, 3}, {96, 192, 384, 768}});
}
graph::Model build_convnext_base(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {{3, 3, 27, 3}, {128, 256, 512, 1024}});
}

}  // namespace bramble::models
