// The blocks of the mobile networks, under the names of timm's _efficientnet_blocks.py.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "graph/builder.h"
#include "models/blocks/round_channels.h"

namespace bramble::models {

/// A row of the paper's table: `repeats` blocks, the first with `stride`. Rows of one stage follow each other.
struct BlockRow {
  int stage;  ///< in the blocks' names
  int repeats;
  int kernel;
  int stride;
  double expansion;  ///< 1 is the depthwise-separable block, which has no expanding convolution
  int channels;      ///< before the width multiplier
  bool squeeze_excite = false;
  std::optional<graph::Activation> activation{};  ///< if not the network's
};

/// Squeeze-excite reduces to a quarter of the block's input, or of its expanded channels rounded to a multiple of 8.
struct SqueezeExciteStyle {
  graph::Activation activation = graph::Activation::relu;
  graph::Activation gate = graph::Activation::sigmoid;
  bool of_expanded = false;
};

struct MobileNet {
  int stem_channels;
  std::span<const BlockRow> rows;
  float width;
  graph::Activation activation;
  SqueezeExciteStyle squeeze_excite{};
  double depth = 1;  ///< multiplies repeats, rounded up
  int head_channels = 1280;
  int blocks_after_rows = 0;  ///< that timm counts as blocks too
};

/// A stem of stride 2, then the table's blocks.
graph::TensorId mobile_features(graph::Builder& b, const MobileNet& net);

/// The features, a head convolution, pooling, classifier.
graph::Model build_mobile_net(const MobileNet& net, const graph::ModelConfig& config);

}  // namespace bramble::models
