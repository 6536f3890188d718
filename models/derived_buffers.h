// What timm's state_dict holds besides parameters and running statistics: tables that follow from the architecture, and
// second names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/registry.h"

namespace bramble::models {

struct DerivedBuffer {
  std::string name;
  graph::Shape shape;
  std::vector<std::int64_t> integers;  ///< one of the two is empty
  std::vector<float> floats;
};

/// EfficientFormer's and FasterViT's, as PyTorch has them before the first forward; the other families' are not part of
/// their state_dict. load_state_dict(strict=True) asks for them, Bramble does not.
std::vector<DerivedBuffer> derived_buffers(const ModelInfo& info, const graph::ModelConfig& config);

/// The name under which state_dict has the parameter `name` once more: FasterViT registers its tokenizer's convolution
/// twice.
std::optional<std::string> second_name(const std::string& name);

}  // namespace bramble::models
