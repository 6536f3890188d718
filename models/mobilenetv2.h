// MobileNetV2 (Sandler et al., 2018, arXiv:1801.04381), as timm's efficientnet.py builds mobilenetv2_050 and _100.
#pragma once

#include "models/registry.h"

namespace bramble::models {

graph::Model build_mobilenetv2_050(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_mobilenetv2_100(const ModelInfo& info, const graph::ModelConfig& config);

}  // namespace bramble::models
