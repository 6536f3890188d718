#include "engine/data/resize.h"

#include <algorithm>
#include <cmath>

namespace bramble::engine {
namespace {

// Pillow's Resample.c: eight bits of result, two of headroom, the rest for the weights.
constexpr int kPrecisionBits = 32 - 8 - 2;
constexpr std::int32_t kRound = 1 << (kPrecisionBits - 1);

std::uint8_t to_byte(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp<std::int32_t>(sum >> kPrecisionBits, 0, 255));
}

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

double cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

}  // namespace

ResizedSize resized_size(int width, int height, int size) {
  const std::int64_t target = size;
  if (width <= height) return {target, target * height / width};
  return {target * width / height, target};
}

std::int64_t centre_crop_begin(std::int64_t extent, int size) {
  const std::int64_t slack = extent - size;
  const std::int64_t half = slack / 2;
  return slack % 2 == 0 || half % 2 == 0 ? half : half + 1;
}

void Resizer::make_filter(int in_extent, std::int64_t out_extent, std::int64_t out_begin, int out_count,
                          Filter& filter) {
  const double scale = static_cast<double>(in_extent) / static_cast<double>(out_extent);
  const double filter_scale = std::max(scale, 1.0);  // widened only where it shrinks: antialiasing
  const bool bicubic = interpolation_ == Interpolation::bicubic;
  const double support = (bicubic ? 2 : 1) * filter_scale;
  filter.taps = static_cast<int>(std::ceil(support)) * 2 + 1;
  filter.first.resize(static_cast<std::size_t>(out_count));
  filter.count.resize(static_cast<std::size_t>(out_count));
  filter.weights.assign(static_cast<std::size_t>(out_count) * static_cast<std::size_t>(filter.taps), 0);
  row_of_weights_.resize(static_cast<std::size_t>(filter.taps));
  for (int out = 0; out < out_count; ++out) {
    const double centre = (static_cast<double>(out_begin + out) + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(centre - support + 0.5));
    const int count = std::min(in_extent, static_cast<int>(centre + support + 0.5)) - first;
    double sum = 0;
    for (int tap = 0; tap < count; ++tap) {
      const double distance = (tap + first - centre + 0.5) * (1.0 / filter_scale);
      row_of_weights_[static_cast<std::size_t>(tap)] = bicubic ? cubic(distance) : triangle(distance);
      sum += row_of_weights_[static_cast<std::size_t>(tap)];
    }
    std::int32_t* weights = &filter.weights[static_cast<std::size_t>(out) * static_cast<std::size_t>(filter.taps)];
    for (int tap = 0; tap < count; ++tap) {
      const double weight = sum != 0 ? row_of_weights_[static_cast<std::size_t>(tap)] / sum : 0;
      weights[tap] = static_cast<std::int32_t>((weight < 0 ? -0.5 : 0.5) + weight * (1 << kPrecisionBits));
    }
    filter.first[static_cast<std::size_t>(out)] = first;
    filter.count[static_cast<std::size_t>(out)] = count;
  }
}

void Resizer::narrow(const Image& image, const Box& box, std::int64_t row_begin, std::int64_t row_end,
                     std::size_t out_stride) {
  const std::size_t in_stride = static_cast<std::size_t>(image.width) * 3;
  narrowed_.resize(static_cast<std::size_t>(row_end - row_begin) * out_stride);
  std::uint8_t* out = narrowed_.data();
  for (std::int64_t row = row_begin; row < row_end; ++row) {
    const std::uint8_t* in_row = image.pixels.data() + static_cast<std::size_t>(row + box.top) * in_stride +
                                 static_cast<std::size_t>(box.left) * 3;
    for (std::size_t column = 0; column < horizontal_.first.size(); ++column, out += 3) {
      const std::uint8_t* in = in_row + horizontal_.first[column] * 3;
      const std::int32_t* weights = &horizontal_.weights[column * static_cast<std::size_t>(horizontal_.taps)];
      std::int32_t red = kRound, green = kRound, blue = kRound;
      for (int tap = 0; tap < horizontal_.count[column]; ++tap, in += 3) {
        red += in[0] * weights[tap];
        green += in[1] * weights[tap];
        blue += in[2] * weights[tap];
      }
      out[0] = to_byte(red);
      out[1] = to_byte(green);
      out[2] = to_byte(blue);
    }
  }
}

void Resizer::resize_and_crop(const Image& image, int short_side, int size, std::span<std::uint8_t> rgb) {
  const ResizedSize resized = resized_size(image.width, image.height, short_side);
  make_filter(image.width, resized.width, centre_crop_begin(resized.width, size), size, horizontal_);
  make_filter(image.height, resized.height, centre_crop_begin(resized.height, size), size, vertical_);
  filter(image, {0, 0, image.width, image.height}, size, rgb);
}

void Resizer::crop_and_resize(const Image& image, const Box& box, int size, std::span<std::uint8_t> rgb) {
  make_filter(box.width, size, 0, size, horizontal_);
  make_filter(box.height, size, 0, size, vertical_);
  filter(image, box, size, rgb);
}

void Resizer::filter(const Image& image, const Box& box, int size, std::span<std::uint8_t> rgb) {
  const std::size_t stride = static_cast<std::size_t>(size) * 3;
  const std::int64_t row_begin = vertical_.first.front();
  narrow(image, box, row_begin, vertical_.first.back() + vertical_.count.back(), stride);
  sums_.resize(stride);
  for (std::size_t row = 0; row < static_cast<std::size_t>(size); ++row) {
    const std::uint8_t* in = narrowed_.data() + static_cast<std::size_t>(vertical_.first[row] - row_begin) * stride;
    const std::int32_t* weights = &vertical_.weights[row * static_cast<std::size_t>(vertical_.taps)];
    std::fill(sums_.begin(), sums_.end(), kRound);
    for (int tap = 0; tap < vertical_.count[row]; ++tap, in += stride) {
      for (std::size_t x = 0; x < stride; ++x) sums_[x] += in[x] * weights[tap];
    }
    std::transform(sums_.begin(), sums_.end(), rgb.begin() + static_cast<std::ptrdiff_t>(row * stride), to_byte);
  }
}

}  // namespace bramble::engine
