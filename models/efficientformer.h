// EfficientFormer (Li et al., 2022): pooling mixes tokens but in the last blocks, where attention does. timm:
// efficientformer.py.
#pragma once

#include "models/registry.h"

namespace bramble::models {

graph::Model build_efficientformer_l1(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_efficientformer_l3(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_efficientformer_l7(const ModelInfo& info, const graph::ModelConfig& config);

}  // namespace bramble::models
