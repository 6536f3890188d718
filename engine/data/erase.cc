#include "engine/data/erase.h"

#include <cmath>

namespace bramble::engine {

std::optional<Box> erased_box(int size, DataRandom& random) {
  constexpr int kAttempts = 10;
  constexpr double kSmallest = 0.02, kLargest = 1.0 / 3;
  const double widest = std::log(1 / 0.3);
  const double area = static_cast<double>(size) * size;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const double target = random.uniform(kSmallest, kLargest) * area;
    const double ratio = std::exp(random.uniform(-widest, widest));
    const int height = static_cast<int>(std::nearbyint(std::sqrt(target * ratio)));
    const int width = static_cast<int>(std::nearbyint(std::sqrt(target / ratio)));
    if (width >= size || height >= size) continue;
    const auto top = random.below(static_cast<std::uint64_t>(size - height + 1));
    const auto left = random.below(static_cast<std::uint64_t>(size - width + 1));
    return Box{static_cast<int>(left), static_cast<int>(top), width, height};
  }
  return std::nullopt;
}

void erase_randomly(int size, double probability, DataRandom& random, std::span<float> values) {
  if (!random.happens(probability)) return;
  const std::optional<Box> box = erased_box(size, random);
  if (!box) return;
  for (int row = box->top; row < box->top + box->height; ++row) {
    const auto begin = static_cast<std::size_t>((row * size + box->left) * 3);
    for (float& value : values.subspan(begin, static_cast<std::size_t>(box->width) * 3))
      value = static_cast<float>(random.normal());
  }
}

}  // namespace bramble::engine
