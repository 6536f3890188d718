// Random changes of training images, as torchvision defines them.
#pragma once

#include <cstdint>
#include <span>

#include "engine/data/random.h"
#include "engine/data/resize.h"

namespace bramble::engine {

struct AugmentOptions {
  bool crop = false;            ///< RandomResizedCrop; without it the whole image's centre
  double smallest_crop = 0.08;  ///< of the image's area
  bool flip = false;            ///< RandomHorizontalFlip, of every other image
};

/// RandomResizedCrop's box: an area in [smallest, 1] of the image's, an aspect ratio in [3/4, 4/3].
Box random_crop(int width, int height, double smallest, DataRandom& random);

/// Mirrors [size][size][3] in place.
void flip_horizontally(int size, std::span<std::uint8_t> rgb);

/// One thread's way from a decoded image to size x size.
class Augmenter {
 public:
  Augmenter(int size, const AugmentOptions& options) : size_(size), options_(options) {}
  void apply(const Image& image, DataRandom random, std::span<std::uint8_t> rgb);

 private:
  int size_;
  AugmentOptions options_;
  Resizer resizer_;
};

}  // namespace bramble::engine
