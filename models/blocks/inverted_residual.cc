#include "models/blocks/inverted_residual.h"

#include <cmath>

namespace bramble::models {
namespace {

using graph::Builder;
using graph::TensorId;

struct BlockShape {
  int kernel;
  int stride;
  double expansion;
  int channels;
  bool squeeze_excite;
  graph::Activation activation;
  float drop_path;
};

TensorId squeeze_excite(Builder& b, const std::string& name, TensorId x, int block_input,
                        const SqueezeExciteStyle& style) {
  const int reduced = style.of_expanded ? round_channels(0.25 * static_cast<double>(b.channels(x))) : block_input / 4;
  return b.squeeze_excite(name, x, {.reduced = reduced, .activation = style.activation, .gate = style.gate});
}

/// Depthwise kxk, then 1x1 without activation.
TensorId depthwise_separable(Builder& b, const std::string& name, TensorId x, const BlockShape& block,
                             const SqueezeExciteStyle& style) {
  const int in = static_cast<int>(b.channels(x));
  TensorId y = b.conv2d(name + ".conv_dw", x, in, block.kernel,
                        {.stride = block.stride, .padding = block.kernel / 2, .groups = in});
  y = b.activation(b.batchnorm(name + ".bn1", y), block.activation);
  if (block.squeeze_excite) y = squeeze_excite(b, name + ".se", y, in, style);
  return b.batchnorm(name + ".bn2", b.conv2d(name + ".conv_pw", y, block.channels, 1));
}

/// 1x1 to `expansion` times the channels, depthwise kxk, 1x1 without activation (Sandler et al., 2018).
TensorId inverted_residual(Builder& b, const std::string& name, TensorId x, const BlockShape& block,
                           const SqueezeExciteStyle& style) {
  const int in = static_cast<int>(b.channels(x));
  const int expanded = round_channels(in * block.expansion);
  TensorId y = b.activation(b.batchnorm(name + ".bn1", b.conv2d(name + ".conv_pw", x, expanded, 1)), block.activation);
  y = b.conv2d(name + ".conv_dw", y, expanded, block.kernel,
               {.stride = block.stride, .padding = block.kernel / 2, .groups = expanded});
  y = b.activation(b.batchnorm(name + ".bn2", y), block.activation);
  if (block.squeeze_excite) y = squeeze_excite(b, name + ".se", y, in, style);
  return b.batchnorm(name + ".bn3", b.conv2d(name + ".conv_pwl", y, block.channels, 1));
}

TensorId block(Builder& b, const std::string& name, TensorId x, const BlockShape& shape,
               const SqueezeExciteStyle& style) {
  const TensorId y = shape.expansion == 1 ? depthwise_separable(b, name, x, shape, style)
                                          : inverted_residual(b, name, x, shape, style);
  const bool has_shortcut = shape.stride == 1 && b.channels(x) == b.channels(y);
  return has_shortcut ? b.add(b.drop_path(y, shape.drop_path), x) : y;
}

int repeats(const BlockRow& row, const MobileNet& net) { return static_cast<int>(std::ceil(row.repeats * net.depth)); }

/// timm's rule for this family: the block's number over that of all blocks, so that the last one stays below.
float drop_path_of(const Builder& b, const MobileNet& net, int block) {
  int blocks = net.blocks_after_rows;
  for (const BlockRow& row : net.rows) blocks += repeats(row, net);
  return b.config().drop_path_rate * static_cast<float>(block) / static_cast<float>(blocks);
}

}  // namespace

TensorId mobile_features(Builder& b, const MobileNet& net) {
  TensorId x = b.conv2d("conv_stem", b.images(), round_channels(net.stem_channels * net.width), 3,
                        {.stride = 2, .padding = 1});
  x = b.activation(b.batchnorm("bn1", x), net.activation);
  int stage = -1, index = 0, blocks = 0;
  for (const BlockRow& row : net.rows) {
    if (row.stage != stage) stage = row.stage, index = 0;
    for (int i = 0; i < repeats(row, net); ++i, ++index) {
      const BlockShape shape{row.kernel,
                             i == 0 ? row.stride : 1,
                             row.expansion,
                             round_channels(row.channels * net.width),
                             row.squeeze_excite,
                             row.activation.value_or(net.activation),
                             drop_path_of(b, net, blocks++)};
      x = block(b, "blocks." + std::to_string(stage) + "." + std::to_string(index), x, shape, net.squeeze_excite);
    }
  }
  return x;
}

graph::Model build_mobile_net(const MobileNet& net, const graph::ModelConfig& config) {
  Builder b(config);
  TensorId x = mobile_features(b, net);
  x = b.activation(b.batchnorm("bn2", b.conv2d("conv_head", x, net.head_channels, 1)), net.activation);
  return b.finish(b.classifier("classifier", b.global_avg_pool(x)));
}

}  // namespace bramble::models
