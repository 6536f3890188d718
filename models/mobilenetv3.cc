#include "models/mobilenetv3.h"

#include "models/blocks/inverted_residual.h"

namespace bramble::models {
namespace {

using graph::Activation;
using graph::Builder;
using graph::TensorId;

constexpr auto kRelu = Activation::relu;
constexpr auto kSwish = Activation::hard_swish;

// Tables 1 and 2 of the paper: stage, repeats, kernel, stride, expansion, channels, squeeze-excite, activation.
constexpr BlockRow kLarge[] = {
    {0, 1, 3, 1, 1, 16, false, kRelu},    {1, 1, 3, 2, 4, 24, false, kRelu},    {1, 1, 3, 1, 3, 24, false, kRelu},
    {2, 3, 5, 2, 3, 40, true, kRelu},     {3, 1, 3, 2, 6, 80, false, kSwish},   {3, 1, 3, 1, 2.5, 80, false, kSwish},
    {3, 2, 3, 1, 2.3, 80, false, kSwish}, {4, 2, 3, 1, 6, 112, true, kSwish},   {5, 3, 5, 2, 6, 160, true, kSwish},
};
constexpr BlockRow kSmall[] = {
    {0, 1, 3, 2, 1, 16, true, kRelu},  {1, 1, 3, 2, 4.5, 24, false, kRelu}, {1, 1, 3, 1, 3.67, 24, false, kRelu},
    {2, 1, 5, 2, 4, 40, true, kSwish}, {2, 2, 5, 1, 6, 40, true, kSwish},   {3, 2, 5, 1, 3, 48, true, kSwish},
    {4, 3, 5, 2, 6, 96, true, kSwish},
};

struct Head {
  const char* stage;
  int features;  ///< of the last convolution before pooling, times the width
  int channels;  ///< of the one after it
};

graph::Model build(const graph::ModelConfig& config, std::span<const BlockRow> rows, const Head& head, float width) {
  Builder b(config);
  const SqueezeExciteStyle style{.gate = Activation::hard_sigmoid, .of_expanded = true};
  TensorId x = mobile_features(b, {.stem_channels = 16,
                                   .rows = rows,
                                   .width = width,
                                   .activation = kSwish,
                                   .squeeze_excite = style,
                                   .blocks_after_rows = 1});
  const std::string last = std::string(head.stage) + ".0";
  x = b.conv2d(last + ".conv", x, round_channels(head.features * width), 1);
  x = b.global_avg_pool(b.activation(b.batchnorm(last + ".bn1", x), kSwish));
  x = b.reshape(x, {config.batch, 1, 1, b.channels(x)});
  x = b.activation(b.conv2d("conv_head", x, head.channels, 1, {.bias = true}), kSwish);
  x = b.reshape(x, {config.batch, head.channels});
  return b.finish(b.classifier("classifier", x));
}

graph::Model large(const graph::ModelConfig& config, float width) {
  return build(config, kLarge, {"blocks.6", 960, 1280}, width);
}
graph::Model small(const graph::ModelConfig& config, float width) {
  return build(config, kSmall, {"blocks.5", 576, 1024}, width);
}

}  // namespace

graph::Model build_mobilenetv3_large_075(const ModelInfo&, const graph::ModelConfig& c) { return large(c, 0.75F); }
graph::Model build_mobilenetv3_large_100(const ModelInfo&, const graph::ModelConfig& c) { return large(c, 1.0F); }
graph::Model build_mobilenetv3_small_075(const ModelInfo&, const graph::ModelConfig& c) { return small(c, 0.75F); }
graph::Model build_mobilenetv3_small_100(const ModelInfo&, const graph::ModelConfig& c) { return small(c, 1.0F); }

}  // namespace bramble::models
