#include "models/blocks/inverted_residual.h"

#include <algorithm>

namespace bramble::models {
namespace {

using graph::Builder;
using graph::TensorId;

constexpr int kHeadChannels = 1280;

struct BlockShape {
  int kernel;
  int stride;
  int expansion;
  int channels;
};

/// Depthwise kxk, then 1x1 without activation.
TensorId depthwise_separable(Builder& b, const std::string& name, TensorId x, const BlockShape& block,
                             graph::Activation activation) {
  const int in = static_cast<int>(b.channels(x));
  TensorId y = b.conv2d(name + ".conv_dw", x, in, block.kernel,
                        {.stride = block.stride, .padding = block.kernel / 2, .groups = in});
  y = b.activation(b.batchnorm(name + ".bn1", y), activation);
  return b.batchnorm(name + ".bn2", b.conv2d(name + ".conv_pw", y, block.channels, 1));
}

/// 1x1 to `expansion` times the channels, depthwise kxk, 1x1 without activation (Sandler et al., 2018).
TensorId inverted_residual(Builder& b, const std::string& name, TensorId x, const BlockShape& block,
                           graph::Activation activation) {
  // timm rounds the expanded channels too; in * expansion is a multiple of 8 already.
  const int expanded = static_cast<int>(b.channels(x)) * block.expansion;
  TensorId y = b.activation(b.batchnorm(name + ".bn1", b.conv2d(name + ".conv_pw", x, expanded, 1)), activation);
  y = b.conv2d(name + ".conv_dw", y, expanded, block.kernel,
               {.stride = block.stride, .padding = block.kernel / 2, .groups = expanded});
  y = b.activation(b.batchnorm(name + ".bn2", y), activation);
  return b.batchnorm(name + ".bn3", b.conv2d(name + ".conv_pwl", y, block.channels, 1));
}

TensorId block(Builder& b, const std::string& name, TensorId x, const BlockShape& shape, graph::Activation activation) {
  const TensorId y = shape.expansion == 1 ? depthwise_separable(b, name, x, shape, activation)
                                          : inverted_residual(b, name, x, shape, activation);
  return shape.stride == 1 && b.channels(x) == b.channels(y) ? b.add(y, x) : y;
}

}  // namespace

int round_channels(double channels) {
  const int rounded = std::max(8, static_cast<int>(channels + 4) / 8 * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}

graph::Model build_mobile_net(const MobileNet& net, const graph::ModelConfig& config) {
  Builder b(config);
  TensorId x = b.conv2d("conv_stem", b.images(), round_channels(net.stem_channels * net.width), 3,
                        {.stride = 2, .padding = 1});
  x = b.activation(b.batchnorm("bn1", x), net.activation);
  for (std::size_t s = 0; s < net.stages.size(); ++s)
    for (int i = 0; i < net.stages[s].repeats; ++i) {
      const Stage& stage = net.stages[s];
      const BlockShape shape{stage.kernel, i == 0 ? stage.stride : 1, stage.expansion,
                             round_channels(stage.channels * net.width)};
      x = block(b, "blocks." + std::to_string(s) + "." + std::to_string(i), x, shape, net.activation);
    }
  x = b.activation(b.batchnorm("bn2", b.conv2d("conv_head", x, kHeadChannels, 1)), net.activation);
  return b.finish(b.linear("classifier", b.global_avg_pool(x), static_cast<int>(config.classes)));
}

}  // namespace bramble::models
