// MnasNet-B1 (Tan et al., 2018, arXiv:1807.11626), as timm's efficientnet.py builds mnasnet_050, _075 and _100.
#pragma once

#include "models/registry.h"

namespace bramble::models {

graph::Model build_mnasnet_050(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_mnasnet_075(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_mnasnet_100(const ModelInfo& info, const graph::ModelConfig& config);

}  // namespace bramble::models
