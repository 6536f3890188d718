#include "models/efficientformer.h"

#include <array>
#include <cstdlib>

#include "graph/builder.h"
#include "models/blocks/drop_path_rate.h"

namespace bramble::models {
namespace {

using graph::AttentionAttributes;
using graph::Builder;
using graph::TensorId;

constexpr int kStages = 4;
constexpr int kMlpRatio = 4;
constexpr int kPool = 3;
constexpr int kHeads = 8;
constexpr int kKeyDim = 32;
constexpr int kValueDim = 4 * kKeyDim;
constexpr std::int64_t kTokens = 7;  // of a side, where attention is: its table of biases has no others
constexpr float kLayerNormEps = 1e-5F;

struct Variant {
  std::array<int, kStages> depths;
  std::array<int, kStages> channels;
  int attention_blocks;  ///< at the end
};

TensorId conv_norm(Builder& b, const std::string& conv, const std::string& norm, TensorId x, int out) {
  return b.batchnorm(norm, b.conv2d(conv, x, out, 3, {.stride = 2, .padding = 1, .bias = true}));
}

/// What the table of absolute offsets has for each key and query.
graph::RelativePositionAttributes absolute_offsets() {
  const std::int64_t length = kTokens * kTokens;
  graph::RelativePositionAttributes positions{.length = length, .index = {}, .heads_first = true};
  for (std::int64_t key = 0; key < length; ++key)
    for (std::int64_t query = 0; query < length; ++query) {
      const std::int64_t rows = std::abs(key / kTokens - query / kTokens);
      const std::int64_t columns = std::abs(key % kTokens - query % kTokens);
      positions.index.push_back(static_cast<std::int32_t>(rows * kTokens + columns));
    }
  return positions;
}

TensorId attention(Builder& b, const std::string& name, TensorId x) {
  const TensorId table = b.parameter(name + ".attention_biases", {kHeads, kTokens * kTokens});
  const TensorId qkv = b.linear(name + ".qkv", x, kHeads * (2 * kKeyDim + kValueDim));
  const AttentionAttributes attributes{.heads = kHeads,
                                       .key_dim = kKeyDim,
                                       .value_dim = kValueDim,
                                       .order = AttentionAttributes::Order::heads_parts};
  const TensorId y = b.attention(qkv, attributes, b.relative_position_bias(table, absolute_offsets()));
  return b.linear(name + ".proj", y, static_cast<int>(b.channels(x)));
}

/// On tokens.
TensorId attention_block(Builder& b, const std::string& name, TensorId x, float drop_path) {
  const int channels = static_cast<int>(b.channels(x));
  const auto layer_scale = [&](const char* layer) { return b.parameter(name + layer + ".gamma", {channels}); };
  const TensorId mixed = attention(b, name + ".token_mixer", b.layernorm(name + ".norm1", x, kLayerNormEps));
  x = b.add(b.drop_path(b.scale(mixed, layer_scale(".ls1")), drop_path), x);
  TensorId y = b.layernorm(name + ".norm2", x, kLayerNormEps);
  y = b.linear(name + ".mlp.fc2", b.gelu(b.linear(name + ".mlp.fc1", y, kMlpRatio * channels)), channels);
  b.move_parameters_to_end(name + ".ls1");
  return b.add(b.drop_path(b.scale(y, layer_scale(".ls2")), drop_path), x);
}

/// On images.
TensorId pool_block(Builder& b, const std::string& name, TensorId x, float drop_path) {
  const int channels = static_cast<int>(b.channels(x));
  // A branch that may be dropped stands apart from its residual.
  const bool drops = drop_path > 0 && b.config().training;
  const TensorId mixed = b.pool_mixer(x, kPool, b.parameter(name + ".ls1.gamma", {channels}), !drops);
  x = drops ? b.add(b.drop_path(mixed, drop_path), x) : mixed;
  TensorId y = b.conv2d(name + ".mlp.fc1", x, kMlpRatio * channels, 1, {.bias = true});
  y = b.gelu(b.batchnorm(name + ".mlp.norm1", y));
  y = b.conv2d(name + ".mlp.fc2", y, channels, 1, {.bias = true});
  const graph::BatchNormBranch norm = b.batchnorm_branch(name + ".mlp.norm2", y);
  const TensorId gamma = b.parameter(name + ".ls2.gamma", {channels});
  if (!drops) return b.batchnorm_sum(name + ".mlp.norm2", {norm}, x, gamma);
  return b.add(b.drop_path(b.batchnorm_sum(name + ".mlp.norm2", {norm}, graph::kNoTensor, gamma), drop_path), x);
}

TensorId stage(Builder& b, const std::string& name, TensorId x, int depth, int attention_blocks,
               DropPathRates& drop_paths) {
  for (int i = 0; i < depth; ++i) {
    const std::string block = name + ".blocks." + std::to_string(i + (i >= depth - attention_blocks ? 1 : 0));
    if (i == depth - attention_blocks) {
      const graph::Shape shape = b.shape(x);
      if (shape[1] != kTokens || shape[2] != kTokens)
        throw graph::GraphError(block + ": attention is over 7 x 7 tokens, not " + graph::to_string(shape) +
                                "; use images of 193 to 224 pixels");
      x = b.reshape(x, {shape[0], kTokens * kTokens, shape[3]});
    }
    const float drop_path = drop_paths.next();
    x = i < depth - attention_blocks ? pool_block(b, block, x, drop_path) : attention_block(b, block, x, drop_path);
  }
  return x;
}

graph::Model build(const graph::ModelConfig& config, const Variant& variant) {
  Builder b(config);
  TensorId x = b.relu(conv_norm(b, "stem.conv1", "stem.norm1", b.images(), variant.channels[0] / 2));
  x = b.relu(conv_norm(b, "stem.conv2", "stem.norm2", x, variant.channels[0]));
  DropPathRates drop_paths(config, variant.depths);
  for (std::size_t s = 0; s < kStages; ++s) {
    const std::string name = "stages." + std::to_string(s);
    if (s > 0) x = conv_norm(b, name + ".downsample.conv", name + ".downsample.norm", x, variant.channels[s]);
    x = stage(b, name, x, variant.depths[s], s == kStages - 1 ? variant.attention_blocks : 0, drop_paths);
  }
  x = b.layernorm("norm", x, kLayerNormEps);
  const std::int64_t channels = b.channels(x), classes = config.classes;
  x = b.global_avg_pool(b.reshape(x, {config.batch, kTokens, kTokens, channels}));
  x = b.dropout(x, config.drop_rate);
  // The logits are the mean of two heads', which lie side by side like pixels.
  const TensorId heads = b.concat({b.linear("head", x, static_cast<int>(classes)),
                                   b.linear("head_dist", x, static_cast<int>(classes))});
  return b.finish(b.global_avg_pool(b.reshape(heads, {config.batch, 2, 1, classes})));
}

}  // namespace

graph::Model build_efficientformer_l1(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {{3, 2, 6, 4}, {48, 96, 224, 448}, 1});
}
graph::Model build_efficientformer_l3(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {{4, 4, 12, 6}, {64, 128, 320, 512}, 4});
}
graph::Model build_efficientformer_l7(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {{6, 6, 18, 8}, {96, 192, 384, 768}, 8});
}

}  // namespace bramble::models
