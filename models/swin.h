// Swin Transformer (Liu et al., 2021, arXiv:2103.14030), patches of 4 and windows of 7, as timm's swin_transformer.py.
#pragma once

#include "models/registry.h"

namespace bramble::models {

graph::Model build_swin_tiny(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_swin_small(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_swin_base(const ModelInfo& info, const graph::ModelConfig& config);

}  // namespace bramble::models
