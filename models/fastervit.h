// FasterViT (Hatamizadeh et al., 2023, arXiv:2306.06189) at 224 x 224: convolutions in the first two levels, windows
// that carrier tokens connect in the third, the whole image in the last; as the package fastervit's faster_vit.py.
#pragma once

#include "models/registry.h"

namespace bramble::models {

graph::Model build_faster_vit_0(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_faster_vit_1(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_faster_vit_2(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_faster_vit_3(const ModelInfo& info, const graph::ModelConfig& config);

}  // namespace bramble::models
