#include "models/edgenext.h"

#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

#include "graph/builder.h"
#include "models/blocks/drop_path_rate.h"

namespace bramble::models {
namespace {

using graph::Builder;
using graph::TensorId;

constexpr int kStages = 4;
constexpr int kMlpRatio = 4;
constexpr float kLayerNormEps = 1e-6F;

// Table 1 of the paper: each stage's blocks, the last of which is the split one from the second stage on, its depthwise
// kernel, and the split's scales.
constexpr std::array<int, kStages> kDepths = {3, 3, 9, 3};
constexpr std::array<int, kStages> kKernels = {3, 5, 7, 9};
constexpr std::array<int, kStages> kScales = {0, 2, 3, 4};
constexpr std::size_t kStageWithPositions = 1;

struct Variant {
  std::array<int, kStages> channels;
  int heads;
};

/// gamma * mlp(norm(x)) + shortcut, each pixel by itself.
TensorId perceptron(Builder& b, const std::string& name, TensorId x, TensorId gamma, TensorId shortcut,
                    float drop_path) {
  const int channels = static_cast<int>(b.channels(x));
  TensorId y = b.layernorm(name + ".norm", x, kLayerNormEps);
  y = b.gelu(b.linear(name + ".mlp.fc1", y, kMlpRatio * channels));
  y = b.scale(b.linear(name + ".mlp.fc2", y, channels), gamma);
  return b.add(b.drop_path(y, drop_path), shortcut);
}

TensorId depthwise(Builder& b, const std::string& name, TensorId x, int kernel) {
  const int channels = static_cast<int>(b.channels(x));
  return b.conv2d(name, x, channels, kernel, {.padding = kernel / 2, .groups = channels, .bias = true});
}

TensorId conv_block(Builder& b, const std::string& name, TensorId x, int kernel, float drop_path) {
  const TensorId gamma = b.parameter(name + ".gamma", {b.channels(x)});
  return perceptron(b, name, depthwise(b, name + ".conv_dw", x, kernel), gamma, x, drop_path);
}

/// Chunks of channels in a chain: each but the last through a depthwise convolution, together with what came out of the
/// one before.
TensorId split_convolutions(Builder& b, const std::string& name, TensorId x, int scales) {
  const std::int64_t channels = b.channels(x), width = (channels + scales - 1) / scales;
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(scales - 1), width);
  sizes.push_back(channels - width * (scales - 1));
  std::vector<TensorId> chunks = b.split(x, sizes);
  for (std::size_t i = 0; i + 1 < chunks.size(); ++i) {
    const TensorId sum = i == 0 ? chunks[0] : b.add(chunks[i], chunks[i - 1]);
    chunks[i] = depthwise(b, name + ".convs." + std::to_string(i), sum, 3);
  }
  return b.concat(chunks);
}

/// Sines and cosines of a pixel's row, then of its column, at sixteen frequencies each: [1, height, width, 64].
TensorId position_waves(Builder& b, const std::string& name, std::int64_t height, std::int64_t width) {
  constexpr int kHidden = 32;
  constexpr double kTemperature = 10000, kEps = 1e-6;
  std::vector<float> values;
  const auto append = [&](std::int64_t at, std::int64_t extent) {
    const double angle = static_cast<double>(at + 1) / (static_cast<double>(extent) + kEps) * 2 * std::numbers::pi;
    for (int i = 0; i < kHidden; i += 2) {
      const double scaled = angle / std::pow(kTemperature, static_cast<double>(i) / kHidden);
      values.insert(values.end(), {static_cast<float>(std::sin(scaled)), static_cast<float>(std::cos(scaled))});
    }
  };
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      append(y, height);
      append(x, width);
    }
  }
  return b.constant(name, {1, height, width, 2 * kHidden}, std::move(values));
}

TensorId add_positions(Builder& b, const std::string& name, TensorId x) {
  const TensorId waves = position_waves(b, name + ".waves", b.shape(x)[1], b.shape(x)[2]);
  const int channels = static_cast<int>(b.channels(x));
  return b.add_bias(x, b.conv2d(name + ".token_projection", waves, channels, 1, {.bias = true}));
}

TensorId cross_covariance_attention(Builder& b, const std::string& name, TensorId x, int heads) {
  const int channels = static_cast<int>(b.channels(x));
  const TensorId temperature = b.parameter(name + ".temperature", {heads, 1, 1});
  const TensorId qkv = b.linear(name + ".qkv", x, 3 * channels);
  return b.linear(name + ".proj", b.cross_covariance_attention(qkv, temperature), channels);
}

/// The paper's split depth-wise transpose attention encoder.
TensorId split_block(Builder& b, const std::string& name, TensorId x, int scales, int heads, bool positions,
                     float drop_path) {
  const TensorId gamma_xca = b.parameter(name + ".gamma_xca", {b.channels(x)});
  const TensorId gamma = b.parameter(name + ".gamma", {b.channels(x)});
  TensorId y = split_convolutions(b, name, x, scales);
  if (positions) y = add_positions(b, name + ".pos_embd", y);
  const TensorId normalised = b.layernorm(name + ".norm_xca", y, kLayerNormEps);
  const TensorId mixed = b.scale(cross_covariance_attention(b, name + ".xca", normalised, heads), gamma_xca);
  return perceptron(b, name, b.add(b.drop_path(mixed, drop_path), y), gamma, x, drop_path);
}

graph::Model build(const graph::ModelConfig& config, const Variant& variant) {
  Builder b(config);
  TensorId x = b.conv2d("stem.0", b.images(), variant.channels[0], 4, {.stride = 4, .bias = true});
  x = b.layernorm("stem.1", x, kLayerNormEps);
  const int blocks = std::accumulate(kDepths.begin(), kDepths.end(), 0);
  int index = 0;
  for (std::size_t s = 0; s < kStages; ++s) {
    const std::string stage = "stages." + std::to_string(s);
    if (s > 0) {
      x = b.layernorm(stage + ".downsample.0", x, kLayerNormEps);
      x = b.conv2d(stage + ".downsample.1", x, variant.channels[s], 2, {.stride = 2, .bias = true});
    }
    const int convolutions = kScales[s] > 0 ? kDepths[s] - 1 : kDepths[s];
    const auto name = [&](int block) { return stage + ".blocks." + std::to_string(block); };
    for (int i = 0; i < convolutions; ++i)
      x = conv_block(b, name(i), x, kKernels[s], drop_path_rate(config, index++, blocks));
    if (kScales[s] > 0)
      x = split_block(b, name(convolutions), x, kScales[s], variant.heads, s == kStageWithPositions,
                      drop_path_rate(config, index++, blocks));
  }
  x = b.layernorm("head.norm", b.global_avg_pool(x), kLayerNormEps);
  return b.finish(b.classifier("head.fc", x));
}

}  // namespace

graph::Model build_edgenext_x_small(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {{32, 64, 100, 192}, 4});
}
graph::Model build_edgenext_small(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {{48, 96, 160, 304}, 8});
}
graph::Model build_edgenext_base(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {{80, 160, 288, 584}, 8});
}

}  // namespace bramble::models
