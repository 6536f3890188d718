// GhostNetV2 (Tang et al., 2022): half of each layer's channels made of the other half by cheap depthwise convolutions, gated by
// decoupled fully connected (DFC) attention. timm: ghostnet.py.
#pragma once

#include "models/registry.h"

namespace bramble::models {

graph::Model build_ghostnetv2_100(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_ghostnetv2_130(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_ghostnetv2_160(const ModelInfo& info, const graph::ModelConfig& config);

}  // namespace bramble::models
