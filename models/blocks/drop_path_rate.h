#pragma once

#include <numeric>
#include <span>

#include "graph/model.h"

namespace bramble::models {

/// timm's linear decay rule of stochastic depth: 0 in the first of a network's blocks, config.drop_path_rate in the last.
inline float drop_path_rate(const graph::ModelConfig& config, int block, int blocks) {
  return blocks > 1 ? config.drop_path_rate * static_cast<float>(block) / static_cast<float>(blocks - 1) : 0;
}

/// The rates of all stages' blocks, one after the other.
class DropPathRates {
 public:
  DropPathRates(const graph::ModelConfig& config, std::span<const int> depths)
      : config_(config), blocks_(std::accumulate(depths.begin(), depths.end(), 0)) {}
  float next() { return drop_path_rate(config_, index_++, blocks_); }

 private:
  const graph::ModelConfig& config_;
  int blocks_;
  int index_ = 0;
};

}  // namespace bramble::models
