#include "models/efficientnet.h"

#include "models/blocks/inverted_residual.h"

namespace bramble::models {
namespace {

// Table 1 of the paper: stage, repeats, kernel, stride, expansion, channels, squeeze-excite.
constexpr BlockRow kRows[] = {
    {0, 1, 3, 1, 1, 16, true},  {1, 2, 3, 2, 6, 24, true},  {2, 2, 5, 2, 6, 40, true},  {3, 3, 3, 2, 6, 80, true},
    {4, 3, 5, 1, 6, 112, true}, {5, 4, 5, 2, 6, 192, true}, {6, 1, 3, 1, 6, 320, true},
};

/// The compound scaling of section 3.3 but for the resolution, which is the caller's.
graph::Model build(const graph::ModelConfig& config, float width, double depth) {
  constexpr auto kSilu = graph::Activation::silu;
  return build_mobile_net({.stem_channels = 32,
                           .rows = kRows,
                           .width = width,
                           .activation = kSilu,
                           .squeeze_excite = {.activation = kSilu},
                           .depth = depth,
                           .head_channels = round_channels(1280 * width)},
                          config);
}

}  // namespace

graph::Model build_efficientnet_b0(const ModelInfo&, const graph::ModelConfig& c) { return build(c, 1.0F, 1.0); }
graph::Model build_efficientnet_b1(const ModelInfo&, const graph::ModelConfig& c) { return build(c, 1.0F, 1.1); }
graph::Model build_efficientnet_b2(const ModelInfo&, const graph::ModelConfig& c) { return build(c, 1.1F, 1.2); }
graph::Model build_efficientnet_b3(const ModelInfo&, const graph::ModelConfig& c) { return build(c, 1.2F, 1.4); }

}  // namespace bramble::models
