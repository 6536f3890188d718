// Colour and affine changes against what Pillow, torchvision and timm made of the same image: make_augment.py.
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "engine/data/affine.h"
#include "tests/data/expected.h"

namespace bramble::engine {
namespace {

constexpr int kWidth = 17, kHeight = 13;
constexpr const char* kGolden = "data/augment.txt";

/// make_augment.py's scene().
std::vector<std::uint8_t> scene() {
  std::vector<std::uint8_t> rgb;
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x)
      for (int c = 0; c < 3; ++c) {
        const int noise = ((x * 7919 + y * 104729 + c * 1299709) >> 3) % 23;
        rgb.push_back(static_cast<std::uint8_t>(std::min(255, 20 + noise + x * (4 + 3 * c) + y * (9 - 3 * c))));
      }
  return rgb;
}

TEST(ColorOps, EqualPillow) {
  std::vector<std::uint8_t> scratch;
  const std::map<std::string, std::function<void(Pixels, double)>> ops = {
      {"autocontrast", [](Pixels p, double) { autocontrast(p); }},
      {"equalize", [](Pixels p, double) { equalise(p); }},
      {"invert", [](Pixels p, double) { invert(p); }},
      {"posterize", [](Pixels p, double bits) { posterise(p, static_cast<int>(bits)); }},
      {"solarize", [](Pixels p, double threshold) { solarise(p, static_cast<int>(threshold)); }},
      {"solarize_add", [](Pixels p, double add) { solarise_add(p, static_cast<int>(add)); }},
      {"brightness", adjust_brightness},
      {"contrast", adjust_contrast},
      {"saturation", adjust_saturation},
      {"sharpness", [&](Pixels p, double factor) { adjust_sharpness(p, factor, scratch); }},
      {"hue", adjust_hue},
  };
  const auto lines = test::expected_lines("op", kGolden);
  ASSERT_EQ(lines.size(), 44U);
  for (const auto& line : lines) {
    SCOPED_TRACE(line[1] + " " + line[2]);
    std::vector<std::uint8_t> rgb = scene();
    ops.at(line[1])({kWidth, kHeight, rgb}, std::stod(line[2]));
    EXPECT_EQ(rgb, test::from_hex(line[3]));
  }
}

TEST(ColorOps, LeaveAPictureOfOneColourAlone) {
  std::vector<std::uint8_t> rgb(5 * 4 * 3, 90), scratch;
  const std::vector<std::uint8_t> before = rgb;
  const Pixels pixels{5, 4, rgb};
  autocontrast(pixels);
  equalise(pixels);
  adjust_contrast(pixels, 1.9);
  adjust_saturation(pixels, 0.1);
  adjust_sharpness(pixels, 1.9, scratch);
  adjust_hue(pixels, 0.4);
  EXPECT_EQ(rgb, before);
}

TEST(ColorOps, TakePicturesOfOnePixel) {
  std::vector<std::uint8_t> rgb = {10, 200, 30}, scratch;
  const Pixels pixels{1, 1, rgb};
  adjust_sharpness(pixels, 1.9, scratch);
  autocontrast(pixels);
  equalise(pixels);
  rotate(pixels, 30, {}, scratch);
  EXPECT_EQ(rgb, (std::vector<std::uint8_t>{10, 200, 30}));
}

TEST(Affine, EqualsPillow) {
  using Op = std::function<void(Pixels, double, const AffineOptions&, std::vector<std::uint8_t>&)>;
  const auto moved = [](Pixels p, std::array<double, 6> m, const AffineOptions& o, std::vector<std::uint8_t>& scratch) {
    transform(p, m, o, scratch);
  };
  const std::map<std::string, Op> ops = {
      {"rotate", rotate},
      {"shear_x", [&](Pixels p, double a, auto& o, auto& s) { moved(p, {1, a, 0, 0, 1, 0}, o, s); }},
      {"shear_y", [&](Pixels p, double a, auto& o, auto& s) { moved(p, {1, 0, 0, a, 1, 0}, o, s); }},
      {"translate_x", [&](Pixels p, double a, auto& o, auto& s) { moved(p, {1, 0, a * p.width, 0, 1, 0}, o, s); }},
      {"translate_y", [&](Pixels p, double a, auto& o, auto& s) { moved(p, {1, 0, 0, 0, 1, a * p.height}, o, s); }},
  };
  const auto lines = test::expected_lines("affine", kGolden);
  ASSERT_EQ(lines.size(), 28U);
  std::vector<std::uint8_t> scratch;
  for (const auto& line : lines) {
    SCOPED_TRACE(line[1] + " " + line[2] + " " + line[3]);
    std::vector<std::uint8_t> rgb = scene();
    const Interpolation interpolation = line[3] == "bicubic" ? Interpolation::bicubic : Interpolation::bilinear;
    ops.at(line[1])({kWidth, kHeight, rgb}, std::stod(line[2]), {interpolation, {10, 200, 30}}, scratch);
    EXPECT_EQ(rgb, test::from_hex(line[4]));
  }
}

}  // namespace
}  // namespace bramble::engine
