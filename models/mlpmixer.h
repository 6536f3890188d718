// MLP-Mixer (Tolstikhin et al., 2021, arXiv:2105.01601), as timm's mlp_mixer.py builds mixer_b16_224.
#pragma once

#include "models/registry.h"

namespace bramble::models {

graph::Model build_mlpmixer_b16(const ModelInfo& info, const graph::ModelConfig& config);

}  // namespace bramble::models
