// ResNet-9 for pictures of 32 x 32 as CIFAR's: the network of David Page's DAWNBench entry ("How to Train Your ResNet",
// 2018, myrtle.ai), with a global average and an ordinary linear layer at the end. No model of the benchmark's.
#pragma once

#include "models/registry.h"

namespace bramble::models {

/// A quarter of the original's width: 0.41 million parameters, 24 million multiply-adds a picture.
graph::Model build_resnet9_025(const ModelInfo& info, const graph::ModelConfig& config);

}  // namespace bramble::models
