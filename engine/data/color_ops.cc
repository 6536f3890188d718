#include "engine/data/color_ops.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace bramble::engine {
namespace {

using Table = std::array<std::uint8_t, 256>;
using Histogram = std::array<std::int64_t, 256>;

std::uint8_t clamped(int value) { return static_cast<std::uint8_t>(std::clamp(value, 0, 255)); }

template <class Map>
Table make_table(Map&& map) {
  Table table{};
  for (int value = 0; value < 256; ++value) table[static_cast<std::size_t>(value)] = clamped(map(value));
  return table;
}

void look_up(Pixels pixels, const Table& table) {
  for (std::uint8_t& value : pixels.rgb) value = table[value];
}

/// Each channel through the table that `make` makes of its histogram.
template <class Make>
void by_histogram(Pixels pixels, Make&& make) {
  for (std::size_t channel = 0; channel < 3; ++channel) {
    Histogram histogram{};
    for (std::size_t i = channel; i < pixels.rgb.size(); i += 3) ++histogram[pixels.rgb[i]];
    const Table table = make(histogram);
    for (std::size_t i = channel; i < pixels.rgb.size(); i += 3) pixels.rgb[i] = table[pixels.rgb[i]];
  }
}

const Table& identity() {
  static const Table table = make_table([](int value) { return value; });
  return table;
}

Table stretching_table(const Histogram& histogram) {
  const auto holds = [](std::int64_t count) { return count > 0; };
  const auto low = static_cast<int>(std::ranges::find_if(histogram, holds) - histogram.begin());
  int high = 255;
  while (high > low && histogram[static_cast<std::size_t>(high)] == 0) --high;
  if (high <= low) return identity();
  const double scale = 255.0 / (high - low);
  const double offset = -low * scale;
  return make_table([&](int value) { return static_cast<int>(value * scale + offset); });
}

Table equalising_table(const Histogram& histogram) {
  std::int64_t total = 0, last = 0;
  int levels = 0;
  for (const std::int64_t count : histogram) {
    total += count;
    if (count == 0) continue;
    ++levels;
    last = count;
  }
  const std::int64_t step = (total - last) / 255;
  if (levels <= 1 || step == 0) return identity();
  std::int64_t sum = step / 2;
  return make_table([&](int value) {
    const auto level = static_cast<int>(sum / step);
    sum += histogram[static_cast<std::size_t>(value)];
    return level;
  });
}

/// Pillow's ImagingBlend, from `other` to `value`.
std::uint8_t blend(int other, int value, float factor) {
  const float mixed = static_cast<float>(other) + factor * static_cast<float>(value - other);
  if (mixed <= 0) return 0;
  return mixed >= 255 ? std::uint8_t{255} : static_cast<std::uint8_t>(mixed);
}

/// Pillow's luma of ITU-R 601.
int gray_of(const std::uint8_t* rgb) { return (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16; }

struct Hsv {
  std::uint8_t hue, saturation, value;
};

Hsv to_hsv(const std::uint8_t* rgb) {
  const std::uint8_t red = rgb[0], green = rgb[1], blue = rgb[2];
  const std::uint8_t high = std::max({red, green, blue});
  const std::uint8_t low = std::min({red, green, blue});
  if (high == low) return {0, 0, high};
  const auto range = static_cast<float>(high - low);
  const float from_red = static_cast<float>(high - red) / range;
  const float from_green = static_cast<float>(high - green) / range;
  const float from_blue = static_cast<float>(high - blue) / range;
  float hue;
  if (red == high)
    hue = from_blue - from_green;
  else if (green == high)
    hue = static_cast<float>(2.0 + static_cast<double>(from_red) - static_cast<double>(from_blue));
  else
    hue = static_cast<float>(4.0 + static_cast<double>(from_green) - static_cast<double>(from_red));
  hue = static_cast<float>(std::fmod(static_cast<double>(hue) / 6.0 + 1.0, 1.0));
  const float saturation = range / static_cast<float>(high);
  return {clamped(static_cast<int>(static_cast<double>(hue) * 255.0)),
          clamped(static_cast<int>(static_cast<double>(saturation) * 255.0)), high};
}

void to_rgb(const Hsv& hsv, std::uint8_t* rgb) {
  const double sextants = static_cast<double>(hsv.hue) * 6.0 / 255.0;
  const int sextant = static_cast<int>(sextants);
  const auto part = static_cast<double>(static_cast<float>(sextants - sextant));
  const auto saturation = static_cast<double>(static_cast<float>(hsv.saturation / 255.0));
  const auto dimmed = [&](double by) {
    return clamped(static_cast<int>(std::round(static_cast<float>(hsv.value * (1.0 - by)))));
  };
  const std::uint8_t v = hsv.value, p = dimmed(saturation), q = dimmed(saturation * part),
                     t = dimmed(saturation * (1.0 - part));
  const std::array<std::array<std::uint8_t, 3>, 6> sides = {
      {{v, t, p}, {q, v, p}, {p, v, t}, {p, q, v}, {t, p, v}, {v, p, q}}};
  std::ranges::copy(sides[static_cast<std::size_t>(sextant % 6)], rgb);
}

}  // namespace

void autocontrast(Pixels pixels) { by_histogram(pixels, stretching_table); }
void equalise(Pixels pixels) { by_histogram(pixels, equalising_table); }

void invert(Pixels pixels) {
  look_up(pixels, make_table([](int value) { return 255 - value; }));
}

void posterise(Pixels pixels, int bits) {
  const int mask = ~((1 << (8 - bits)) - 1);
  look_up(pixels, make_table([&](int value) { return value & mask; }));
}

void solarise(Pixels pixels, int threshold) {
  look_up(pixels, make_table([&](int value) { return value < threshold ? value : 255 - value; }));
}

void solarise_add(Pixels pixels, int add) {
  look_up(pixels, make_table([&](int value) { return value < 128 ? value + add : value; }));
}

void adjust_brightness(Pixels pixels, double factor) {
  look_up(pixels, make_table([&](int value) { return blend(0, value, static_cast<float>(factor)); }));
}

void adjust_contrast(Pixels pixels, double factor) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < pixels.rgb.size(); i += 3) sum += gray_of(&pixels.rgb[i]);
  const double mean = static_cast<double>(sum) / (static_cast<double>(pixels.rgb.size()) / 3);
  const int gray = static_cast<int>(mean + 0.5);
  look_up(pixels, make_table([&](int value) { return blend(gray, value, static_cast<float>(factor)); }));
}

void adjust_saturation(Pixels pixels, double factor) {
  for (std::size_t i = 0; i < pixels.rgb.size(); i += 3) {
    const int gray = gray_of(&pixels.rgb[i]);
    for (std::size_t channel = 0; channel < 3; ++channel)
      pixels.rgb[i + channel] = blend(gray, pixels.rgb[i + channel], static_cast<float>(factor));
  }
}

void adjust_sharpness(Pixels pixels, double factor, std::vector<std::uint8_t>& scratch) {
  // Pillow's SMOOTH: the centre five times, its eight neighbours once; what has no neighbours stays.
  scratch.assign(pixels.rgb.begin(), pixels.rgb.end());
  const std::ptrdiff_t row = std::ptrdiff_t{pixels.width} * 3;
  for (int y = 0; y < pixels.height; ++y)
    for (int x = 0; x < pixels.width * 3; ++x) {
      const std::uint8_t* at = scratch.data() + y * row + x;
      int smooth = *at;
      if (y > 0 && y + 1 < pixels.height && x >= 3 && x + 3 < row) {
        int sum = 4 * *at;
        for (const std::ptrdiff_t down : {-row, std::ptrdiff_t{0}, row})
          for (const std::ptrdiff_t right : {-3, 0, 3}) sum += at[down + right];
        smooth = (2 * sum + 13) / 26;  // rounded; a sum is never half-way between two multiples of 13
      }
      std::uint8_t& value = pixels.rgb[static_cast<std::size_t>(y * row + x)];
      value = blend(smooth, value, static_cast<float>(factor));
    }
}

void adjust_hue(Pixels pixels, double turn) {
  const auto add = static_cast<std::uint8_t>(static_cast<int>(turn * 255));
  for (std::size_t i = 0; i < pixels.rgb.size(); i += 3) {
    Hsv hsv = to_hsv(&pixels.rgb[i]);
    hsv.hue = static_cast<std::uint8_t>(hsv.hue + add);
    to_rgb(hsv, &pixels.rgb[i]);
  }
}

}  // namespace bramble::engine
