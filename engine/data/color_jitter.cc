#include "engine/data/color_jitter.h"

#include <algorithm>
#include <array>
#include <utility>

namespace bramble::engine {

void jitter_colours(Pixels pixels, const ColorJitter& jitter, DataRandom& random) {
  const auto factor = [&](double spread) { return random.uniform(std::max(0.0, 1 - spread), 1 + spread); };
  std::array<int, 4> order = {0, 1, 2, 3};
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  for (const int change : order) {
    if (change == 0 && jitter.brightness > 0) adjust_brightness(pixels, factor(jitter.brightness));
    if (change == 1 && jitter.contrast > 0) adjust_contrast(pixels, factor(jitter.contrast));
    if (change == 2 && jitter.saturation > 0) adjust_saturation(pixels, factor(jitter.saturation));
    if (change == 3 && jitter.hue > 0) adjust_hue(pixels, random.uniform(-jitter.hue, jitter.hue));
  }
}

}  // namespace bramble::engine
