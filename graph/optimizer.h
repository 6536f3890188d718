// How gradients become updates of parameters.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "graph/tensor.h"

namespace bramble::graph {

enum class OptimizerKind : std::uint8_t { sgd, adamw, lion };

struct OptimizerConfig {
  OptimizerKind kind = OptimizerKind::sgd;
  float weight_decay = 0;
  float momentum = 0;     ///< SGD
  bool nesterov = false;  ///< SGD
  float beta1 = 0.9F;     ///< AdamW, Lion
  float beta2 = 0.999F;
  float eps = 1e-8F;  ///< AdamW
  /// The parameters that weight_decay applies to; empty: all.
  std::function<bool(const Tensor& parameter)> decays = {};
};

/// timm's habit: neither vectors (norms, biases, layer scales) nor embeddings of positions and classes decay.
bool is_weight_matrix(const Tensor& parameter);

}  // namespace bramble::graph
