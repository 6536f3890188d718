#include "engine/data/augment.h"

#include <algorithm>
#include <cmath>

namespace bramble::engine {
namespace {

constexpr double kNarrowest = 3.0 / 4.0;
constexpr double kWidest = 4.0 / 3.0;
constexpr int kAttempts = 10;
constexpr int kLargestNative = 64;
constexpr int kPadding = 4;

int rounded(double value) { return static_cast<int>(std::nearbyint(value)); }

/// What torchvision takes when no attempt fits: as much of the middle as the ratios allow.
Box central_crop(int width, int height) {
  const double ratio = static_cast<double>(width) / height;
  int crop_width = width;
  int crop_height = height;
  if (ratio < kNarrowest) crop_height = rounded(width / kNarrowest);
  if (ratio > kWidest) crop_width = rounded(height * kWidest);
  crop_width = std::min(crop_width, width);
  crop_height = std::min(crop_height, height);
  return {(width - crop_width) / 2, (height - crop_height) / 2, crop_width, crop_height};
}

}  // namespace

Box random_crop(int width, int height, double smallest, DataRandom& random) {
  const double area = static_cast<double>(width) * height;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const double wanted = area * random.uniform(smallest, 1);
    const double ratio = std::exp(random.uniform(std::log(kNarrowest), std::log(kWidest)));
    const int crop_width = rounded(std::sqrt(wanted * ratio));
    const int crop_height = rounded(std::sqrt(wanted / ratio));
    if (crop_width < 1 || crop_width > width || crop_height < 1 || crop_height > height) continue;
    const auto top = random.below(static_cast<std::uint64_t>(height - crop_height + 1));
    const auto left = random.below(static_cast<std::uint64_t>(width - crop_width + 1));
    return {static_cast<int>(left), static_cast<int>(top), crop_width, crop_height};
  }
  return central_crop(width, height);
}

bool is_native(const Image& image, int size) {
  return size <= kLargestNative && image.width == size && image.height == size;
}

void random_shift(const Image& image, DataRandom& random, std::span<std::uint8_t> rgb) {
  const int down = static_cast<int>(random.below(2 * kPadding + 1)) - kPadding;
  const int right = static_cast<int>(random.below(2 * kPadding + 1)) - kPadding;
  const int begin = std::max(0, -right);
  const int end = std::max(begin, std::min(image.width, image.width - right));
  std::fill(rgb.begin(), rgb.end(), std::uint8_t{0});
  for (int row = std::max(0, -down); row < std::min(image.height, image.height - down); ++row) {
    const auto from = image.pixels.begin() + (std::ptrdiff_t{row + down} * image.width + right + begin) * 3;
    std::copy_n(from, std::ptrdiff_t{end - begin} * 3, rgb.begin() + (std::ptrdiff_t{row} * image.width + begin) * 3);
  }
}

void flip_horizontally(int size, std::span<std::uint8_t> rgb) {
  const auto row_bytes = static_cast<std::size_t>(size) * 3;
  for (std::size_t row = 0; row < static_cast<std::size_t>(size); ++row) {
    std::uint8_t* left = rgb.data() + row * row_bytes;
    for (std::uint8_t* right = left + row_bytes - 3; left < right; left += 3, right -= 3)
      std::swap_ranges(left, left + 3, right);
  }
}

Augmenter::Augmenter(int size, const Preprocessing& preprocessing, const AugmentOptions& options)
    : size_(size),
      short_side_(static_cast<int>(std::floor(size / preprocessing.crop_pct))),
      options_(options),
      affine_{preprocessing.interpolation, {}},
      resizer_(preprocessing.interpolation) {
  for (std::size_t channel = 0; channel < 3; ++channel)
    affine_.fill[channel] =
        static_cast<std::uint8_t>(std::clamp(std::nearbyint(255 * preprocessing.mean[channel]), 0.0, 255.0));
}

void Augmenter::apply(const Image& image, DataRandom& random, std::span<std::uint8_t> rgb) {
  const bool native = is_native(image, size_);
  if (native && options_.crop) {
    random_shift(image, random, rgb);
  } else if (options_.crop) {
    resizer_.crop_and_resize(image, random_crop(image.width, image.height, options_.smallest_crop, random), size_, rgb);
  } else if (native) {
    std::copy(image.pixels.begin(), image.pixels.end(), rgb.begin());
  } else {
    resizer_.resize_and_crop(image, short_side_, size_, rgb);
  }
  if (options_.flip > 0 && random.happens(options_.flip)) flip_horizontally(size_, rgb);
  const Pixels pixels{size_, size_, rgb};
  if (options_.rand_augment) rand_augment(pixels, affine_, random, scratch_);
  if (options_.jitter != ColorJitter{}) jitter_colours(pixels, options_.jitter, random);
}

}  // namespace bramble::engine
