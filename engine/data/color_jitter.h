// torchvision's ColorJitter.
#pragma once

#include "engine/data/color_ops.h"
#include "engine/data/random.h"

namespace bramble::engine {

struct ColorJitter {
  double brightness = 0;  ///< the factor is drawn from [max(0, 1 - brightness), 1 + brightness]; so the next two
  double contrast = 0;
  double saturation = 0;
  double hue = 0;  ///< the turn is drawn from [-hue, hue]; at most 0.5
  bool operator==(const ColorJitter&) const = default;
};

/// The four changes in an order drawn anew each time; one whose number is 0 is left out.
void jitter_colours(Pixels pixels, const ColorJitter& jitter, DataRandom& random);

}  // namespace bramble::engine
