// MobileNetV3 (Howard et al., 2019, arXiv:1905.02244), as timm's mobilenetv3.py builds mobilenetv3_large_075, _100 and
// mobilenetv3_small_075, _100.
#pragma once

#include "models/registry.h"

namespace bramble::models {

graph::Model build_mobilenetv3_large_075(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_mobilenetv3_large_100(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_mobilenetv3_small_075(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_mobilenetv3_small_100(const ModelInfo& info, const graph::ModelConfig& config);

}  // namespace bramble::models
