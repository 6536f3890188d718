// What parameters hold before they are trained: timm's distributions, from a generator of our own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/registry.h"

namespace bramble::models {

/// The values of parameter `name` of `graph`, a graph of `info`'s, in PyTorch's order. As timm 0.9.10 draws them for the
/// model's family; the same seed gives the same values, whatever other parameters there are.
std::vector<float> initial_parameter(const ModelInfo& info, const graph::Graph& graph, const std::string& name,
                                     std::uint64_t seed);

}  // namespace bramble::models
