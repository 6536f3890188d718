#include "models/mobilevitv2.h"

#include "graph/builder.h"
#include "models/blocks/drop_path_rate.h"
#include "models/blocks/round_channels.h"

namespace bramble::models {
namespace {

using graph::Builder;
using graph::TensorId;

constexpr int kStemChannels = 32;
constexpr double kExpansion = 2;
constexpr int kMlpRatio = 2;
constexpr int kPatchSize = 2;

// Table 8 of the paper: blocks, the first one's stride, channels before the width multiplier, layers of the transformer
// that ends the stage.
struct StageRow {
  int blocks, stride, channels, transformer_depth;
};
constexpr StageRow kRows[] = {{1, 1, 64, 0}, {2, 2, 128, 0}, {1, 2, 256, 2}, {1, 2, 384, 4}, {1, 2, 512, 3}};
constexpr int kBlocks = 9;  // a stage's transformers are one

TensorId conv_norm_act(Builder& b, const std::string& name, TensorId x, int out, int kernel,
                       graph::Conv2dOptions options = {}) {
  options.padding = kernel / 2;
  return b.activation(b.batchnorm(name + ".bn", b.conv2d(name + ".conv", x, out, kernel, options)),
                      graph::Activation::silu);
}

TensorId depthwise_norm_act(Builder& b, const std::string& name, TensorId x, int stride = 1) {
  const int channels = static_cast<int>(b.channels(x));
  return conv_norm_act(b, name, x, channels, 3, {.stride = stride, .groups = channels});
}

TensorId conv_norm(Builder& b, const std::string& name, TensorId x, int out) {
  return b.batchnorm(name + ".bn", b.conv2d(name + ".conv", x, out, 1));
}

TensorId inverted_residual(Builder& b, const std::string& name, TensorId x, int out, int stride, float drop_path) {
  const int expanded = round_channels(kExpansion * static_cast<double>(b.channels(x)));
  TensorId y = conv_norm_act(b, name + ".conv1_1x1", x, expanded, 1);
  y = depthwise_norm_act(b, name + ".conv2_kxk", y, stride);
  y = b.drop_path(conv_norm(b, name + ".conv3_1x1", y, out), drop_path);
  return stride == 1 && b.channels(x) == out ? b.add(y, x) : y;
}

TensorId transformer(Builder& b, const std::string& name, TensorId x, float drop_path) {
  const int dim = static_cast<int>(b.channels(x));
  const auto linear = [&](const std::string& layer, TensorId y, int out) {
    return b.conv2d(name + layer, y, out, 1, {.bias = true});
  };
  TensorId y = linear(".attn.qkv_proj", b.groupnorm(name + ".norm1", x, 1), 1 + 2 * dim);
  y = linear(".attn.out_proj", b.separable_attention(y, kPatchSize), dim);
  x = b.add(b.drop_path(y, drop_path), x);
  y = linear(".mlp.fc1", b.groupnorm(name + ".norm2", x, 1), kMlpRatio * dim);
  y = linear(".mlp.fc2", b.activation(y, graph::Activation::silu), dim);
  return b.add(b.drop_path(y, drop_path), x);
}

/// A transformer between 1x1 convolutions, at half the channels. All of it but the attention takes each pixel by itself,
/// and that finds the pixel's place in its patch: nothing is unfolded.
TensorId mobilevit_block(Builder& b, const std::string& name, TensorId x, int depth, float drop_path) {
  const int channels = static_cast<int>(b.channels(x));
  const auto whole_patches = [](std::int64_t extent) { return (extent + kPatchSize - 1) / kPatchSize * kPatchSize; };
  const std::int64_t height = b.shape(x)[1], width = b.shape(x)[2];
  if (height % kPatchSize != 0 || width % kPatchSize != 0)
    x = b.resize(x, graph::ResizeMode::bilinear_corners, whole_patches(height), whole_patches(width));
  x = depthwise_norm_act(b, name + ".conv_kxk", x);
  x = b.conv2d(name + ".conv_1x1", x, round_channels(0.5 * channels), 1);
  for (int i = 0; i < depth; ++i) x = transformer(b, name + ".transformer." + std::to_string(i), x, drop_path);
  return conv_norm(b, name + ".conv_proj", b.groupnorm(name + ".norm", x, 1), channels);
}

graph::Model build(const graph::ModelConfig& config, double multiplier) {
  Builder b(config);
  const auto scaled = [&](int channels) { return static_cast<int>(channels * multiplier); };
  TensorId x = conv_norm_act(b, "stem", b.images(), scaled(kStemChannels), 3, {.stride = 2});
  int stage = 0, block = 0;
  const auto drop_path = [&] { return drop_path_rate(config, block++, kBlocks); };
  for (const StageRow& row : kRows) {
    const std::string name = "stages." + std::to_string(stage++) + ".";
    for (int i = 0; i < row.blocks; ++i)
      x = inverted_residual(b, name + std::to_string(i), x, scaled(row.channels), i == 0 ? row.stride : 1, drop_path());
    if (row.transformer_depth > 0)
      x = mobilevit_block(b, name + std::to_string(row.blocks), x, row.transformer_depth, drop_path());
  }
  return b.finish(b.classifier("head.fc", b.global_avg_pool(x)));
}

}  // namespace

graph::Model build_mobilevitv2_050(const ModelInfo&, const graph::ModelConfig& config) { return build(config, 0.5); }
graph::Model build_mobilevitv2_100(const ModelInfo&, const graph::ModelConfig& config) { return build(config, 1.0); }
graph::Model build_mobilevitv2_200(const ModelInfo&, const graph::ModelConfig& config) { return build(config, 2.0); }

}  // namespace bramble::models
