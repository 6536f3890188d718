#include "models/vit.h"

#include "graph/builder.h"
#include "models/blocks/drop_path_rate.h"
#include "models/blocks/mlp.h"

namespace bramble::models {
namespace {

using graph::Builder;
using graph::TensorId;

constexpr int kDepth = 12;
constexpr int kPatch = 16;
constexpr int kPretrainedSize = 224;
constexpr float kLayerNormEps = 1e-6F;

TensorId attention(Builder& b, const std::string& name, TensorId x, int heads) {
  const int channels = static_cast<int>(b.channels(x));
  const TensorId qkv = b.linear(name + ".qkv", x, 3 * channels);
  return b.linear(name + ".proj", b.attention(qkv, heads), channels);
}

TensorId block(Builder& b, const std::string& name, TensorId x, int heads, float drop_path) {
  const TensorId mixed = attention(b, name + ".attn", b.layernorm(name + ".norm1", x, kLayerNormEps), heads);
  x = b.add(x, b.drop_path(mixed, drop_path));
  return b.add(x, b.drop_path(mlp(b, name + ".mlp", b.layernorm(name + ".norm2", x, kLayerNormEps)), drop_path));
}

graph::Model build(const graph::ModelConfig& config, int channels, int heads) {
  if (config.size != kPretrainedSize)
    throw graph::GraphError("images of " + std::to_string(config.size) + "x" + std::to_string(config.size) +
                            " do not fit: the position embeddings are for 224x224; use --size 224");
  Builder b(config);
  const std::int64_t side = config.size / kPatch;
  const std::int64_t tokens = side * side;
  const TensorId class_token = b.parameter("cls_token", {1, 1, channels});
  const TensorId position = b.parameter("pos_embed", {1, tokens + 1, channels});
  TensorId x = b.conv2d("patch_embed.proj", b.images(), channels, kPatch, {.stride = kPatch, .bias = true});
  x = b.prepend_token(b.reshape(x, {config.batch, tokens, channels}), class_token);
  x = b.add_bias(x, position);
  for (int i = 0; i < kDepth; ++i)
    x = block(b, "blocks." + std::to_string(i), x, heads, drop_path_rate(config, i, kDepth));
  // Only the class token is read on: normalising it alone gives the same logits and gradients.
  x = b.layernorm("norm", b.select_token(x, 0), kLayerNormEps);
  return b.finish(b.classifier("head", x));
}

}  // namespace

graph::Model build_vit_tiny(const ModelInfo&, const graph::ModelConfig& config) { return build(config, 192, 3); }
graph::Model build_vit_small(const ModelInfo&, const graph::ModelConfig& config) { return build(config, 384, 6); }
graph::Model build_vit_base(const ModelInfo&, const graph::ModelConfig& config) { return build(config, 768, 12); }

}  // namespace bramble::models
