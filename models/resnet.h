// ResNet (He et al., 2015, arXiv:1512.03385), as timm's resnet.py builds resnet18, resnet34 and resnet50.
#pragma once

#include "models/registry.h"

namespace bramble::models {

graph::Model build_resnet18(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_resnet34(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_resnet50(const ModelInfo& info, const graph::ModelConfig& config);

}  // namespace bramble::models
