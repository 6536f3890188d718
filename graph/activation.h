#pragma once

#include <cstdint>

namespace bramble::graph {

/// relu6 = min(max(x, 0), 6); gelu = x * Phi(x), with the exact erf.
enum class Activation : std::uint8_t { none, relu, relu6, gelu };

}  // namespace bramble::graph
