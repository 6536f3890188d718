// MobileViTv2 (Mehta and Rastegari, 2022, arXiv:2206.02680), as timm's mobilevit.py and byobnet.py build mobilevitv2_050,
// _100 and _200.
#pragma once

#include "models/registry.h"

namespace bramble::models {

graph::Model build_mobilevitv2_050(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_mobilevitv2_100(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_mobilevitv2_200(const ModelInfo& info, const graph::ModelConfig& config);

}  // namespace bramble::models
