#include "models/mlpmixer.h"

#include "graph/builder.h"

namespace bramble::models {
namespace {

using graph::Builder;
using graph::TensorId;

// Table 1 of the paper, column B/16.
constexpr int kLayers = 12;
constexpr int kPatch = 16;
constexpr int kChannels = 768;
constexpr int kTokenFeatures = 384;
constexpr int kChannelFeatures = 3072;
constexpr int kPretrainedSize = 224;
constexpr float kLayerNormEps = 1e-6F;

TensorId mlp(Builder& b, const std::string& name, TensorId x, int features) {
  const int width = static_cast<int>(b.channels(x));
  return b.linear(name + ".fc2", b.gelu(b.linear(name + ".fc1", x, features)), width);
}

/// A perceptron over the tokens of each channel, then one over the channels of each token.
TensorId block(Builder& b, const std::string& name, TensorId x) {
  const TensorId channels = b.transpose(b.layernorm(name + ".norm1", x, kLayerNormEps));
  const float drop_path = b.config().drop_path_rate;  // timm's is the same in all blocks
  TensorId y = b.transpose(mlp(b, name + ".mlp_tokens", channels, kTokenFeatures));
  x = b.add(x, b.drop_path(y, drop_path));
  y = mlp(b, name + ".mlp_channels", b.layernorm(name + ".norm2", x, kLayerNormEps), kChannelFeatures);
  return b.add(x, b.drop_path(y, drop_path));
}

}  // namespace

graph::Model build_mlpmixer_b16(const ModelInfo&, const graph::ModelConfig& config) {
  if (config.size != kPretrainedSize)
    throw graph::GraphError("images of " + std::to_string(config.size) + "x" + std::to_string(config.size) +
                            " do not fit: the token perceptrons are for 224x224; use --size 224");
  Builder b(config);
  const std::int64_t tokens = (config.size / kPatch) * (config.size / kPatch);
  TensorId x = b.conv2d("stem.proj", b.images(), kChannels, kPatch, {.stride = kPatch, .bias = true});
  x = b.reshape(x, {config.batch, tokens, kChannels});
  for (int i = 0; i < kLayers; ++i) x = block(b, "blocks." + std::to_string(i), x);
  x = b.reshape(b.layernorm("norm", x, kLayerNormEps), {config.batch, tokens, 1, kChannels});
  return b.finish(b.classifier("head", b.global_avg_pool(x)));
}

}  // namespace bramble::models
