// EfficientNet (Tan and Le, 2019, arXiv:1905.11946), as timm's efficientnet.py builds efficientnet_b0 to _b3.
#pragma once

#include "models/registry.h"

namespace bramble::models {

graph::Model build_efficientnet_b0(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_efficientnet_b1(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_efficientnet_b2(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_efficientnet_b3(const ModelInfo& info, const graph::ModelConfig& config);

}  // namespace bramble::models
