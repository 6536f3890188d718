#include "models/ghostnetv2.h"

#include "graph/builder.h"
#include "models/blocks/round_channels.h"

namespace bramble::models {
namespace {

using graph::Activation;
using graph::Builder;
using graph::TensorId;

struct Row {
  int stage;
  int kernel;
  int expanded;
  int channels;
  bool squeeze_excite;
  int stride;
};

// Table 7 of GhostNet's paper, which GhostNetV2 keeps.
constexpr Row kRows[] = {
    {0, 3, 16, 16, false, 1},  {1, 3, 48, 24, false, 2},  {2, 3, 72, 24, false, 1},  {3, 5, 72, 40, true, 2},
    {4, 5, 120, 40, true, 1},  {5, 3, 240, 80, false, 2}, {6, 3, 200, 80, false, 1}, {6, 3, 184, 80, false, 1},
    {6, 3, 184, 80, false, 1}, {6, 3, 480, 112, true, 1}, {6, 3, 672, 112, true, 1}, {7, 5, 672, 160, true, 2},
    {8, 5, 960, 160, false, 1}, {8, 5, 960, 160, true, 1}, {8, 5, 960, 160, false, 1}, {8, 5, 960, 160, true, 1},
};
constexpr int kFirstBlockWithAttention = 2;
constexpr int kHeadChannels = 1280;

int width_of(int channels, double width) { return round_channels(channels * width, 4); }

TensorId conv_norm(Builder& b, const std::string& name, int index, TensorId x, int out, graph::Extent2d kernel,
                   const graph::Conv2dOptions& options) {
  const TensorId y = b.conv2d(name + "." + std::to_string(index), x, out, kernel, options);
  return b.batchnorm(name + "." + std::to_string(index + 1), y);
}

TensorId depthwise_norm(Builder& b, const std::string& name, int index, TensorId x, graph::Extent2d kernel,
                        int stride = 1) {
  const int channels = static_cast<int>(b.channels(x));
  return conv_norm(b, name, index, x, channels, kernel,
                   {.stride = stride, .padding = {kernel.height / 2, kernel.width / 2}, .groups = channels});
}

/// Half of the channels by a 1x1 convolution, the others from those by a depthwise one.
TensorId ghost_module(Builder& b, const std::string& name, TensorId x, int channels, Activation activation) {
  TensorId primary = conv_norm(b, name + ".primary_conv", 0, x, channels / 2, 1, {});
  if (activation != Activation::none) primary = b.activation(primary, activation);
  TensorId cheap = depthwise_norm(b, name + ".cheap_operation", 0, primary, 3);
  if (activation != Activation::none) cheap = b.activation(cheap, activation);
  return b.concat({primary, cheap});
}

/// The same times a gate that sees a cross of 5 + 5 pixels, at half the resolution.
TensorId ghost_module_with_attention(Builder& b, const std::string& name, TensorId x, int channels) {
  const TensorId y = ghost_module(b, name, x, channels, Activation::relu);
  const std::string short_conv = name + ".short_conv";
  TensorId gate = conv_norm(b, short_conv, 0, b.avg_pool2d(x, 2, 2), channels, 1, {});
  gate = depthwise_norm(b, short_conv, 2, gate, {1, 5});
  gate = depthwise_norm(b, short_conv, 4, gate, {5, 1});
  return b.gate(y, b.activation(gate, Activation::sigmoid));
}

TensorId bottleneck(Builder& b, const std::string& name, TensorId x, const Row& row, double width, bool attention) {
  const int in = static_cast<int>(b.channels(x));
  const int expanded = width_of(row.expanded, width), out = width_of(row.channels, width);
  TensorId y = attention ? ghost_module_with_attention(b, name + ".ghost1", x, expanded)
                         : ghost_module(b, name + ".ghost1", x, expanded, Activation::relu);
  if (row.stride > 1) {
    y = b.conv2d(name + ".conv_dw", y, expanded, row.kernel,
                 {.stride = row.stride, .padding = row.kernel / 2, .groups = expanded});
    y = b.batchnorm(name + ".bn_dw", y);
  }
  if (row.squeeze_excite)
    y = b.squeeze_excite(name + ".se", y,
                         {.reduced = round_channels(0.25 * expanded, 4), .gate = Activation::hard_sigmoid});
  y = ghost_module(b, name + ".ghost2", y, out, Activation::none);
  if (in == out && row.stride == 1) return b.add(y, x);
  TensorId shortcut = depthwise_norm(b, name + ".shortcut", 0, x, row.kernel, row.stride);
  shortcut = conv_norm(b, name + ".shortcut", 2, shortcut, out, 1, {});
  return b.add(y, shortcut);
}

graph::Model build(const graph::ModelConfig& config, double width) {
  Builder b(config);
  TensorId x = b.conv2d("conv_stem", b.images(), width_of(16, width), 3, {.stride = 2, .padding = 1});
  x = b.relu(b.batchnorm("bn1", x));
  int blocks = 0, index = 0, stage = -1;
  for (const Row& row : kRows) {
    index = row.stage == stage ? index + 1 : 0;
    stage = row.stage;
    const std::string name = "blocks." + std::to_string(stage) + "." + std::to_string(index);
    x = bottleneck(b, name, x, row, width, blocks++ >= kFirstBlockWithAttention);
  }
  x = b.conv2d("blocks.9.0.conv", x, width_of(960, width), 1);
  x = b.global_avg_pool(b.relu(b.batchnorm("blocks.9.0.bn1", x)));
  x = b.reshape(x, {config.batch, 1, 1, b.channels(x)});
  x = b.relu(b.conv2d("conv_head", x, kHeadChannels, 1, {.bias = true}));
  x = b.reshape(x, {config.batch, kHeadChannels});
  return b.finish(b.classifier("classifier", x));
}

}  // namespace

graph::Model build_ghostnetv2_100(const ModelInfo&, const graph::ModelConfig& config) { return build(config, 1.0); }
graph::Model build_ghostnetv2_130(const ModelInfo&, const graph::ModelConfig& config) { return build(config, 1.3); }
graph::Model build_ghostnetv2_160(const ModelInfo&, const graph::ModelConfig& config) { return build(config, 1.6); }

}  // namespace bramble::models
