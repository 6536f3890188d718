// FastViT (Vasu et al., 2023) in the form that it is trained in, with several branches where inference has one. timm:
// fastvit.py.
#pragma once

#include "models/registry.h"

namespace bramble::models {

graph::Model build_fastvit_t8(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_fastvit_t12(const ModelInfo& info, const graph::ModelConfig& config);

}  // namespace bramble::models
