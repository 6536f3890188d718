// What timm's state_dict has beside parameters and running statistics, for the files that we write.
#pragma once

#include <vector>

#include "engine/checkpoint/safetensors_writer.h"
#include "tools/train/evaluate.h"

namespace bramble::train {

/// Tables that follow from the architecture.
std::vector<engine::TensorToWrite> derived_tensors(const ModelDescription& description);

/// Appends those and, for parameters among `tensors` that state_dict has under two names, the second.
void complete_for_pytorch(const ModelDescription& description, std::vector<engine::TensorToWrite>& tensors);

}  // namespace bramble::train
