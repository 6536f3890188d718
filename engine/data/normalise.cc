#include "engine/data/normalise.h"

#include <array>

namespace bramble::engine {
namespace {

constexpr std::array<float, 3> kMean = {0.485f, 0.456f, 0.406f};
constexpr std::array<float, 3> kDeviation = {0.229f, 0.224f, 0.225f};

// All 256 results of each channel.
constexpr auto kTable = [] {
  std::array<std::array<float, 256>, 3> table{};
  for (std::size_t channel = 0; channel < 3; ++channel) {
    for (std::size_t value = 0; value < 256; ++value) {
      table[channel][value] = (static_cast<float>(value) / 255.0f - kMean[channel]) / kDeviation[channel];
    }
  }
  return table;
}();

}  // namespace

void normalise(std::span<const std::uint8_t> rgb, std::span<float> values) {
  for (std::size_t i = 0; i + 2 < rgb.size(); i += 3) {
    values[i] = kTable[0][rgb[i]];
    values[i + 1] = kTable[1][rgb[i + 1]];
    values[i + 2] = kTable[2][rgb[i + 2]];
  }
}

}  // namespace bramble::engine
