#include "engine/data/normalise.h"

namespace bramble::engine {

Normaliser::Normaliser(const Preprocessing& preprocessing) {
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const auto mean = static_cast<float>(preprocessing.mean[channel]);
    const auto deviation = static_cast<float>(preprocessing.deviation[channel]);
    for (std::size_t value = 0; value < 256; ++value)
      table_[channel][value] = (static_cast<float>(value) / 255.0f - mean) / deviation;
  }
}

void Normaliser::apply(std::span<const std::uint8_t> rgb, std::span<float> values) const {
  for (std::size_t i = 0; i + 2 < rgb.size(); i += 3) {
    values[i] = table_[0][rgb[i]];
    values[i + 1] = table_[1][rgb[i + 1]];
    values[i + 2] = table_[2][rgb[i + 2]];
  }
}

}  // namespace bramble::engine
