// Reproducible test data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace bramble::test {

/// n floats, uniform in [lo, hi), the same for the same seed everywhere.
inline std::vector<float> uniform(std::size_t n, std::uint64_t seed, float lo = -1, float hi = 1) {
  std::mt19937_64 generator(seed);
  std::vector<float> values(n);
  for (float& value : values) {
    const double unit = static_cast<double>(generator() >> 11) * 0x1p-53;
    value = static_cast<float>(lo + (static_cast<double>(hi) - lo) * unit);
  }
  return values;
}

}  // namespace bramble::test
