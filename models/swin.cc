#include "models/swin.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "models/blocks/drop_path_rate.h"
#include "models/blocks/mlp.h"
#include "models/blocks/relative_position.h"

namespace bramble::models {
namespace {

using graph::Builder;
using graph::TensorId;
using graph::WindowPartition;

constexpr int kStages = 4;
constexpr int kPatch = 4;
constexpr std::int64_t kWindow = 7;
constexpr std::int64_t kSizes = kPatch * kWindow << (kStages - 1);  // multiples of it
constexpr int kHeadDim = 32;
constexpr float kLayerNormEps = 1e-5F;

struct Variant {
  int channels;  ///< of the first stage; each one after it has twice as many
  std::array<int, kStages> depths;
};

TensorId attention(Builder& b, const std::string& name, TensorId x, bool shifted) {
  const int channels = static_cast<int>(b.channels(x));
  const int heads = channels / kHeadDim;
  // Where the image is no larger than a window, it is the window.
  const std::int64_t side = b.shape(x)[1], window = std::min(kWindow, side);
  const std::int64_t shift = shifted && side > window ? window / 2 : 0;
  const TensorId table =
      b.parameter(name + ".relative_position_bias_table", {(2 * window - 1) * (2 * window - 1), heads});
  const TensorId qkv = b.linear(name + ".qkv", x, 3 * channels);
  const TensorId bias = b.relative_position_bias(table, relative_positions(window, Offset::query_minus_key));
  const WindowPartition partition{WindowPartition::Kind::block, window, shift};
  return b.linear(name + ".proj", b.attention(qkv, {.heads = heads, .partition = partition}, bias), channels);
}

TensorId block(Builder& b, const std::string& name, TensorId x, bool shifted, float drop_path) {
  const TensorId mixed = attention(b, name + ".attn", b.layernorm(name + ".norm1", x, kLayerNormEps), shifted);
  x = b.add(x, b.drop_path(mixed, drop_path));
  return b.add(x, b.drop_path(mlp(b, name + ".mlp", b.layernorm(name + ".norm2", x, kLayerNormEps)), drop_path));
}

/// Two by two neighbours side by side, column by column, then half as many channels.
TensorId patch_merging(Builder& b, const std::string& name, TensorId x) {
  const graph::Shape shape = b.shape(x);
  const std::int64_t height = shape[1], width = shape[2], channels = shape[3];
  graph::TokenLists lists;
  for (std::int64_t row = 0; row < height; row += 2)
    for (std::int64_t column = 0; column < width; column += 2)
      for (const auto& [down, right] : {std::pair{0, 0}, {1, 0}, {0, 1}, {1, 1}})
        lists.add({static_cast<std::int32_t>((row + down) * width + column + right)});
  x = b.gather_tokens({b.reshape(x, {shape[0], height * width, channels})}, std::move(lists));
  x = b.reshape(x, {shape[0], height / 2, width / 2, 4 * channels});
  x = b.layernorm(name + ".norm", x, kLayerNormEps);
  return b.linear(name + ".reduction", x, static_cast<int>(2 * channels), false);
}

graph::Model build(const graph::ModelConfig& config, const Variant& variant) {
  // Then each stage's tokens divide into windows, and merge two by two for the next one.
  if (config.size % kSizes != 0)
    throw graph::GraphError("images of " + std::to_string(config.size) + "x" + std::to_string(config.size) +
                            " do not divide into windows; use a --size that is a multiple of " +
                            std::to_string(kSizes));
  Builder b(config);
  const int blocks = std::accumulate(variant.depths.begin(), variant.depths.end(), 0);
  int index = 0;
  TensorId x = b.conv2d("patch_embed.proj", b.images(), variant.channels, kPatch, {.stride = kPatch, .bias = true});
  x = b.layernorm("patch_embed.norm", x, kLayerNormEps);
  for (std::size_t s = 0; s < kStages; ++s) {
    const std::string layer = "layers." + std::to_string(s);
    if (s > 0) x = patch_merging(b, layer + ".downsample", x);
    for (int i = 0; i < variant.depths[s]; ++i)
      x = block(b, layer + ".blocks." + std::to_string(i), x, i % 2 == 1, drop_path_rate(config, index++, blocks));
  }
  x = b.global_avg_pool(b.layernorm("norm", x, kLayerNormEps));
  return b.finish(b.classifier("head.fc", x));
}

}  // namespace

graph::Model build_swin_tiny(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {96, {2, 2, 6, 2}});
}
graph::Model build_swin_small(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {96, {2, 2, 18, 2}});
}
graph::Model build_swin_base(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {128, {2, 2, 18, 2}});
}

}  // namespace bramble::models
