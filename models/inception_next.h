// InceptionNeXt (Yu et al., 2023): ConvNeXt's block with its 7x7 depthwise convolution taken apart. timm:
// inception_next.py.
#pragma once

#include "models/registry.h"

namespace bramble::models {

graph::Model build_inception_next_tiny(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_inception_next_small(const ModelInfo& info, const graph::ModelConfig& config);
graph::Model build_inception_next_base(const ModelInfo& info, const graph::ModelConfig& config);

}  // namespace bramble::models
