// VGG (Simonyan and Zisserman, 2014, arXiv:1409.1556), as timm's vgg.py builds vgg11 and vgg16.
#pragma once

#include "models/registry.h"

namespace bramble::models {

graph::Model build_vgg11(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_vgg16(const ModelInfo& info, const graph::ModelConfig& config);

}  // namespace bramble::models
