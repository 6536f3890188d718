// EdgeNeXt (Maaz et al., 2022, arXiv:2206.10589), as timm's edgenext.py builds edgenext_x_small, _small and _base.
#pragma once

#include "models/registry.h"

namespace bramble::models {

graph::Model build_edgenext_x_small(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_edgenext_small(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_edgenext_base(const ModelInfo& info, const graph::ModelConfig& config);

}  // namespace bramble::models
