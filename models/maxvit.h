// MaxViT (Tu et al., 2022, arXiv:2204.01697), TensorFlow's weights: as maxvit_*_tf in timm's maxxvit.py.
#pragma once

#include "models/registry.h"

namespace bramble::models {

graph::Model build_maxvit_tiny(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_maxvit_small(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_maxvit_base(const ModelInfo& info, const graph::ModelConfig& config);

}  // namespace bramble::models
