// EfficientViT (Cai et al., 2022, arXiv:2205.14756), as timm's efficientvit_mit.py builds efficientvit_b0 to _b3.
#pragma once

#include "models/registry.h"

namespace bramble::models {

graph::Model build_efficientvit_b0(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_efficientvit_b1(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_efficientvit_b2(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_efficientvit_b3(const ModelInfo& info, const graph::ModelConfig& config);

}  // namespace bramble::models
