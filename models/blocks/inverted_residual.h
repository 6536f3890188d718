// The blocks of the mobile networks, under the names of timm's _efficientnet_blocks.py.
#pragma once

#include <span>
#include <string>

#include "graph/builder.h"

namespace bramble::models {

/// A row of the paper's table: `repeats` blocks, the first with `stride`.
struct Stage {
  int repeats;
  int kernel;
  int stride;
  int expansion;  ///< 1 is the depthwise-separable block, which has no expanding convolution
  int channels;   ///< before the width multiplier
};

/// A stem of stride 2, inverted residual blocks by the table, a head convolution of 1280 channels, pooling, classifier.
struct MobileNet {
  int stem_channels;
  std::span<const Stage> stages;
  float width;
  graph::Activation activation;
};

/// timm's round_channels: to a multiple of 8, at least 8, never below nine tenths of the value.
int round_channels(double channels);

graph::Model build_mobile_net(const MobileNet& net, const graph::ModelConfig& config);

}  // namespace bramble::models
