// ConvNeXt (Liu et al., 2022, arXiv:2201.03545), as timm's convnext.py builds convnext_tiny, _small and _base.
#pragma once

#include "models/registry.h"

namespace bramble::models {

graph::Model build_convnext_tiny(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_convnext_small(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_convnext_base(const ModelInfo& info, const graph::ModelConfig& config);

}  // namespace bramble::models
