#include "models/inception_next.h"

#include <array>
#include <numeric>

#include "graph/builder.h"
#include "models/blocks/drop_path_rate.h"

namespace bramble::models {
namespace {

using graph::Builder;
using graph::Extent2d;
using graph::TensorId;

constexpr int kStages = 4;
constexpr std::array<int, kStages> kMlpRatios = {4, 4, 4, 3};
constexpr int kHeadRatio = 3;
constexpr int kBranches = 8;  // a branch has an eighth of the channels
constexpr int kBand = 11;
constexpr float kLayerNormEps = 1e-6F;

struct Variant {
  std::array<int, kStages> depths;
  std::array<int, kStages> channels;
};

/// Most channels stay as they are; an eighth each go through a square and two bands.
TensorId inception_depthwise(Builder& b, const std::string& name, TensorId x) {
  const int channels = static_cast<int>(b.channels(x)), branch = channels / kBranches;
  auto parts = b.split(x, {channels - 3 * branch, branch, branch, branch});
  const auto depthwise = [&](const char* layer, TensorId part, Extent2d kernel) {
    return b.conv2d(name + layer, part, branch, kernel,
                    {.padding = {kernel.height / 2, kernel.width / 2}, .groups = branch, .bias = true});
  };
  parts[1] = depthwise(".dwconv_hw", parts[1], 3);
  parts[2] = depthwise(".dwconv_w", parts[2], {1, kBand});
  parts[3] = depthwise(".dwconv_h", parts[3], {kBand, 1});
  return b.concat(parts);
}

/// x + gamma * mlp(norm(token_mixer(x)))
TensorId block(Builder& b, const std::string& name, TensorId x, int mlp_ratio, float drop_path) {
  const int channels = static_cast<int>(b.channels(x));
  const TensorId gamma = b.parameter(name + ".gamma", {channels});
  TensorId y = b.batchnorm(name + ".norm", inception_depthwise(b, name + ".token_mixer", x));
  y = b.gelu(b.conv2d(name + ".mlp.fc1", y, mlp_ratio * channels, 1, {.bias = true}));
  y = b.conv2d(name + ".mlp.fc2", y, channels, 1, {.bias = true});
  return b.add(b.drop_path(b.scale(y, gamma), drop_path), x);
}

graph::Model build(const graph::ModelConfig& config, const Variant& variant) {
  Builder b(config);
  TensorId x = b.conv2d("stem.0", b.images(), variant.channels[0], 4, {.stride = 4, .bias = true});
  x = b.batchnorm("stem.1", x);
  const int blocks = std::accumulate(variant.depths.begin(), variant.depths.end(), 0);
  int index = 0;
  for (std::size_t s = 0; s < kStages; ++s) {
    const std::string stage = "stages." + std::to_string(s);
    if (s > 0) {
      x = b.batchnorm(stage + ".downsample.0", x);
      x = b.conv2d(stage + ".downsample.1", x, variant.channels[s], 2, {.stride = 2, .bias = true});
    }
    for (int i = 0; i < variant.depths[s]; ++i)
      x = block(b, stage + ".blocks." + std::to_string(i), x, kMlpRatios[s], drop_path_rate(config, index++, blocks));
  }
  x = b.linear("head.fc1", b.global_avg_pool(x), kHeadRatio * variant.channels.back());
  x = b.layernorm("head.norm", b.gelu(x), kLayerNormEps);
  return b.finish(b.classifier("head.fc2", x));
}

}  // namespace

graph::Model build_inception_next_tiny(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {{3, 3, 9, 3}, {96, 192, 384, 768}});
}
graph::Model build_inception_next_small(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {{3, 3, 27, 3}, {96, 192, 384, 768}});
}
graph::Model build_inception_next_base(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {{3, 3, 27, 3}, {128, 256, 512, 1024}});
}

}  // namespace bramble::models
