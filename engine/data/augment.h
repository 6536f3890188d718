// Random changes of training images, as torchvision and timm define them.
#pragma once

#include <cstdint>
#include <span>

#include "engine/data/color_jitter.h"
#include "engine/data/preprocessing.h"
#include "engine/data/rand_augment.h"
#include "engine/data/random.h"

namespace bramble::engine {

struct AugmentOptions {
  bool crop = false;            ///< random_crop(), or random_shift() of what is_native(); without it the image's centre
  double smallest_crop = 0.08;  ///< of the image's area
  double flip = 0;              ///< RandomHorizontalFlip: this share of the images
  bool rand_augment = false;    ///< rand_augment.h, filled with the mean colour
  ColorJitter jitter = {};
  double erase = 0;  ///< erase.h: this share of the images; done by the Preprocessor, after normalising
};

/// Small pictures that already have the size (CIFAR's, Tiny ImageNet's) are not resampled, whatever crop_pct says.
bool is_native(const Image& image, int size);

/// RandomResizedCrop's box: an area in [smallest, 1] of the image's, an aspect ratio in [3/4, 4/3].
Box random_crop(int width, int height, double smallest, DataRandom& random);

/// RandomCrop(size, padding = 4), as CIFAR is augmented since the first ResNets: `image`, which is size x size, moved
/// by at most four pixels each way; what comes in is black.
void random_shift(const Image& image, DataRandom& random, std::span<std::uint8_t> rgb);

/// Mirrors [size][size][3] in place.
void flip_horizontally(int size, std::span<std::uint8_t> rgb);

/// One thread's way from a decoded image to size x size, in timm's order: crop, flip, RandAugment, colour jitter.
class Augmenter {
 public:
  Augmenter(int size, const Preprocessing& preprocessing, const AugmentOptions& options);
  void apply(const Image& image, DataRandom& random, std::span<std::uint8_t> rgb);

 private:
  int size_;
  int short_side_;  ///< where the centre is taken
  AugmentOptions options_;
  AffineOptions affine_;
  Resizer resizer_;
  std::vector<std::uint8_t> scratch_;
};

}  // namespace bramble::engine
