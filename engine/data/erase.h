// Random erasing as timm defines it (timm/data/random_erasing.py, mode "pixel").
#pragma once

#include <optional>
#include <span>

#include "engine/data/random.h"
#include "engine/data/resize.h"

namespace bramble::engine {

/// A box with an area in [0.02, 1/3] of the picture's and an aspect ratio in [0.3, 1/0.3]; nothing if ten attempts do
/// not fit.
std::optional<Box> erased_box(int size, DataRandom& random);

/// With this probability, normal noise (mean 0, deviation 1) in a box of the normalised values [size][size][3].
void erase_randomly(int size, double probability, DataRandom& random, std::span<float> values);

}  // namespace bramble::engine
