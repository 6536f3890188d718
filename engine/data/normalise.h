// torchvision's ToTensor and Normalize.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "engine/data/preprocessing.h"

namespace bramble::engine {

class Normaliser {
 public:
  explicit Normaliser(const Preprocessing& preprocessing = {});
  /// values[i] = (rgb[i] / 255 - mean[i % 3]) / deviation[i % 3], in float as torchvision computes it.
  void apply(std::span<const std::uint8_t> rgb, std::span<float> values) const;

 private:
  std::array<std::array<float, 256>, 3> table_;  ///< all results of each channel
};

}  // namespace bramble::engine
