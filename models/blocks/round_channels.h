#pragma once

#include <algorithm>

namespace bramble::models {

/// timm's make_divisible: to a multiple of `divisor`, at least that, never below nine tenths of the value.
inline int round_channels(double channels, int divisor = 8) {
  const int rounded = std::max(divisor, static_cast<int>(channels + divisor / 2) / divisor * divisor);
  return rounded < 0.9 * channels ? rounded + divisor : rounded;
}

}  // namespace bramble::models
