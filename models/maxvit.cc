#include "models/maxvit.h"

#include <array>
#include <numeric>

#include "models/blocks/drop_path_rate.h"
#include "models/blocks/mlp.h"
#include "models/blocks/relative_position.h"

namespace bramble::models {
namespace {

using graph::Activation;
using graph::Builder;
using graph::TensorId;
using graph::WindowPartition;

constexpr int kStages = 4;
constexpr int kStemChannels = 64;
constexpr int kExpansion = 4;
constexpr int kHeadDim = 32;
constexpr std::int64_t kPartitionRatio = 32;  ///< pixels of the image's side for a token of a window's
constexpr float kBatchNormEps = 1e-3F;
constexpr float kLayerNormEps = 1e-5F;

struct Variant {
  std::array<int, kStages> channels;
  std::array<int, kStages> depths;
};

TensorId normalise(Builder& b, const std::string& name, TensorId x) {
  return b.activation(b.batchnorm(name, x, kBatchNormEps), Activation::gelu_tanh);
}

/// The pre-norm inverted residual; with stride 2 the shortcut is pooled, and widened where the channels change.
TensorId inverted_residual(Builder& b, const std::string& name, TensorId x, int channels, int stride,
                           float drop_path) {
  const int expanded = kExpansion * channels;
  TensorId shortcut = x;
  if (stride == 2) shortcut = b.avg_pool2d(x, 2, 2);
  if (b.channels(x) != channels) shortcut = b.conv2d(name + ".shortcut.expand", shortcut, channels, 1, {.bias = true});
  TensorId y = b.batchnorm(name + ".pre_norm", x, kBatchNormEps);
  y = normalise(b, name + ".norm1", b.conv2d(name + ".conv1_1x1", y, expanded, 1));
  y = b.conv2d(name + ".conv2_kxk", y, expanded, 3, {.stride = stride, .groups = expanded, .same = true});
  y = b.squeeze_excite(name + ".se", normalise(b, name + ".norm2", y),
                       {.reduced = channels / 4, .activation = Activation::silu, .reduce = "fc1", .expand = "fc2"});
  return b.add(b.drop_path(b.conv2d(name + ".conv3_1x1", y, channels, 1, {.bias = true}), drop_path), shortcut);
}

/// Attention within a partition's windows, and the perceptron.
TensorId partition_attention(Builder& b, const std::string& name, TensorId x, const WindowPartition& partition,
                             float drop_path) {
  const int channels = static_cast<int>(b.channels(x)), heads = channels / kHeadDim;
  const std::int64_t offsets = 2 * partition.window - 1;
  const TensorId qkv = b.linear(name + ".attn.qkv", b.layernorm(name + ".norm1", x, kLayerNormEps), 3 * channels);
  const TensorId table = b.parameter(name + ".attn.rel_pos.relative_position_bias_table", {heads, offsets, offsets});
  graph::RelativePositionAttributes positions = relative_positions(partition.window, Offset::key_minus_query);
  positions.heads_first = true;
  TensorId y = b.attention(qkv, {.heads = heads, .partition = partition}, b.relative_position_bias(table, positions));
  x = b.add(x, b.drop_path(b.linear(name + ".attn.proj", y, channels), drop_path));
  y = mlp(b, name + ".mlp", b.layernorm(name + ".norm2", x, kLayerNormEps), Activation::gelu_tanh);
  return b.add(x, b.drop_path(y, drop_path));
}

graph::Model build(const graph::ModelConfig& config, const Variant& variant) {
  if (config.size % kPartitionRatio != 0)
    throw graph::GraphError("images of " + std::to_string(config.size) + "x" + std::to_string(config.size) +
                            " do not divide into windows; use a --size that is a multiple of " +
                            std::to_string(kPartitionRatio));
  Builder b(config);
  const std::int64_t window = config.size / kPartitionRatio;
  const int blocks = std::accumulate(variant.depths.begin(), variant.depths.end(), 0);
  int index = 0;
  TensorId x = b.conv2d("stem.conv1", b.images(), kStemChannels, 3, {.stride = 2, .bias = true, .same = true});
  x = b.conv2d("stem.conv2", normalise(b, "stem.norm1", x), kStemChannels, 3, {.bias = true, .same = true});
  for (std::size_t s = 0; s < kStages; ++s)
    for (int i = 0; i < variant.depths[s]; ++i) {
      const std::string block = "stages." + std::to_string(s) + ".blocks." + std::to_string(i);
      const float drop_path = drop_path_rate(config, index++, blocks);
      x = inverted_residual(b, block + ".conv", x, variant.channels[s], i == 0 ? 2 : 1, drop_path);
      x = partition_attention(b, block + ".attn_block", x, {WindowPartition::Kind::block, window}, drop_path);
      x = partition_attention(b, block + ".attn_grid", x, {WindowPartition::Kind::grid, window}, drop_path);
    }
  x = b.layernorm("head.norm", b.global_avg_pool(x), kLayerNormEps);
  x = b.activation(b.linear("head.pre_logits.fc", x, variant.channels.back()), Activation::tanh);
  return b.finish(b.classifier("head.fc", x));
}

}  // namespace

graph::Model build_maxvit_tiny(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {{64, 128, 256, 512}, {2, 2, 5, 2}});
}
graph::Model build_maxvit_small(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {{96, 192, 384, 768}, {2, 2, 5, 2}});
}
graph::Model build_maxvit_base(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {{96, 192, 384, 768}, {2, 6, 14, 2}});
}

}  // namespace bramble::models
