// ViT (Dosovitskiy et al., 2020, arXiv:2010.11929) and DeiT without distillation (Touvron et al., 2020,
// arXiv:2012.12877), which is the same network: patches of 16, depth 12, as timm's vision_transformer.py and deit.py.
#pragma once

#include "models/registry.h"

namespace bramble::models {

graph::Model build_vit_tiny(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_vit_small(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_vit_base(const ModelInfo& info, const graph::ModelConfig& config);

}  // namespace bramble::models
