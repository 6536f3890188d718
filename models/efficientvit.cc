#include "models/efficientvit.h"

#include <array>

#include "graph/builder.h"

namespace bramble::models {
namespace {

using graph::Activation;
using graph::Builder;
using graph::Conv2dOptions;
using graph::TensorId;

constexpr int kStages = 4;
constexpr int kFirstAttentionStage = 2;
constexpr int kExpansion = 4;
constexpr int kAggregationKernel = 5;
constexpr float kAttentionEps = 1e-5F;
constexpr float kLayerNormEps = 1e-5F;

struct Variant {
  int stem_channels, stem_blocks;
  std::array<int, kStages> channels;
  std::array<int, kStages> depths;
  int head_dim;
  int head_channels, head_features;
};

/// NAME.conv, then NAME.norm, or a bias instead of it.
TensorId conv(Builder& b, const std::string& name, TensorId x, int out, Conv2dOptions options, int kernel, bool norm,
              Activation activation = Activation::none) {
  options.padding = kernel / 2;
  options.bias = !norm;
  x = b.conv2d(name + ".conv", x, out, kernel, options);
  if (norm) x = b.batchnorm(name + ".norm", x);
  return activation == Activation::none ? x : b.activation(x, activation);
}

TensorId depthwise(Builder& b, const std::string& name, TensorId x, int stride, bool norm) {
  const int channels = static_cast<int>(b.channels(x));
  return conv(b, name, x, channels, {.stride = stride, .groups = channels}, 3, norm, Activation::hard_swish);
}

TensorId depthwise_separable(Builder& b, const std::string& name, TensorId x, int out) {
  return conv(b, name + ".point_conv", depthwise(b, name + ".depth_conv", x, 1, true), out, {}, 1, true);
}

/// 1x1 to four times the channels, depthwise 3x3, 1x1 without activation. In the attention stages only the last
/// convolution is normalised.
TensorId inverted_residual(Builder& b, const std::string& name, TensorId x, int out, int stride, bool norm) {
  const int expanded = kExpansion * static_cast<int>(b.channels(x));
  x = conv(b, name + ".inverted_conv", x, expanded, {}, 1, norm, Activation::hard_swish);
  return conv(b, name + ".point_conv", depthwise(b, name + ".depth_conv", x, stride, norm), out, {}, 1, true);
}

/// Attention over the tokens themselves and over their 5x5 neighbourhoods, in the same number of heads each.
TensorId multi_scale_attention(Builder& b, const std::string& name, TensorId x, int head_dim) {
  const int channels = static_cast<int>(b.channels(x));
  const int heads = channels / head_dim, width = 3 * heads * head_dim;
  const TensorId qkv = b.conv2d(name + ".qkv.conv", x, width, 1);
  const std::string aggregation = name + ".aggreg.0";
  TensorId wider = b.conv2d(aggregation + ".0", qkv, width, kAggregationKernel,
                            {.padding = kAggregationKernel / 2, .groups = width});
  wider = b.conv2d(aggregation + ".1", wider, width, 1, {.groups = 3 * heads});
  const TensorId y = b.linear_attention({qkv, wider}, head_dim, kAttentionEps);
  return conv(b, name + ".proj", y, channels, {}, 1, true);
}

TensorId attention_block(Builder& b, const std::string& name, TensorId x, int head_dim) {
  x = b.add(multi_scale_attention(b, name + ".context_module.main", x, head_dim), x);
  const int channels = static_cast<int>(b.channels(x));
  return b.add(inverted_residual(b, name + ".local_module.main", x, channels, 1, false), x);
}

TensorId stage(Builder& b, int index, TensorId x, const Variant& variant) {
  const auto s = static_cast<std::size_t>(index);
  const bool attends = index >= kFirstAttentionStage;
  const auto name = [&](int block) { return "stages." + std::to_string(index) + ".blocks." + std::to_string(block); };
  x = inverted_residual(b, name(0) + ".main", x, variant.channels[s], 2, !attends);
  if (attends) {
    for (int i = 1; i <= variant.depths[s]; ++i) x = attention_block(b, name(i), x, variant.head_dim);
  } else {
    for (int i = 1; i < variant.depths[s]; ++i)
      x = b.add(inverted_residual(b, name(i) + ".main", x, variant.channels[s], 1, true), x);
  }
  return x;
}

graph::Model build(const graph::ModelConfig& config, const Variant& variant) {
  Builder b(config);
  TensorId x =
      conv(b, "stem.in_conv", b.images(), variant.stem_channels, {.stride = 2}, 3, true, Activation::hard_swish);
  for (int i = 0; i < variant.stem_blocks; ++i)
    x = b.add(depthwise_separable(b, "stem.res" + std::to_string(i) + ".main", x, variant.stem_channels), x);
  for (int i = 0; i < kStages; ++i) x = stage(b, i, x, variant);
  x = conv(b, "head.in_conv", x, variant.head_channels, {}, 1, true, Activation::hard_swish);
  x = b.linear("head.classifier.0", b.global_avg_pool(x), variant.head_features, false);
  x = b.activation(b.layernorm("head.classifier.1", x, kLayerNormEps), Activation::hard_swish);
  return b.finish(b.classifier("head.classifier.4", x));
}

}  // namespace

graph::Model build_efficientvit_b0(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {8, 1, {16, 32, 64, 128}, {2, 2, 2, 2}, 16, 1024, 1280});
}
graph::Model build_efficientvit_b1(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {16, 1, {32, 64, 128, 256}, {2, 3, 3, 4}, 16, 1536, 1600});
}
graph::Model build_efficientvit_b2(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {24, 1, {48, 96, 192, 384}, {3, 4, 4, 6}, 32, 2304, 2560});
}
graph::Model build_efficientvit_b3(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {32, 1, {64, 128, 256, 512}, {4, 6, 6, 9}, 32, 2304, 2560});
}

}  // namespace bramble::models
