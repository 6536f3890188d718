#pragma once

#include "graph/model.h"

namespace bramble::models {

/// timm's linear decay rule of stochastic depth: 0 in the first of a network's blocks, config.drop_path_rate in the last.
inline float drop_path_rate(const graph::ModelConfig& config, int block, int blocks) {
  return blocks > 1 ? config.drop_path_rate * static_cast<float>(block) / static_cast<float>(blocks - 1) : 0;
}

}  // namespace bramble::models
