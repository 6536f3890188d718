#include "engine/data/augment.h"

#include <algorithm>
#include <cmath>

namespace bramble::engine {
namespace {

constexpr double kNarrowest = 3.0 / 4.0;
constexpr double kWidest = 4.0 / 3.0;
constexpr int kAttempts = 10;

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

void flip_horizontally(int size, std::span<std::uint8_t> rgb) {
  const auto row_bytes = static_cast<std::size_t>(size) * 3;
  for (std::size_t row = 0; row < static_cast<std::size_t>(size); ++row) {
    std::uint8_t* left = rgb.data() + row * row_bytes;
    for (std::uint8_t* right = left + row_bytes - 3; left < right; left += 3, right -= 3)
      std::swap_ranges(left, left + 3, right);
  }
}

void Augmenter::apply(const Image& image, DataRandom random, std::span<std::uint8_t> rgb) {
  if (options_.crop) {
    resizer_.crop_and_resize(image, random_crop(image.width, image.height, options_.smallest_crop, random), size_, rgb);
  } else if (image.width == size_ && image.height == size_) {
    std::copy(image.pixels.begin(), image.pixels.end(), rgb.begin());
  } else {
    resizer_.resize_and_crop(image, size_, rgb);
  }
  if (options_.flip && random.below(2) == 1) flip_horizontally(size_, rgb);
}

}  // namespace bramble::engine
