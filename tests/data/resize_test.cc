#include "engine/data/resize.h"

#include <gtest/gtest.h>

#include "engine/data/image_decoder.h"
#include "tests/data/expected.h"

namespace bramble::engine {
namespace {

std::vector<std::uint8_t> resized(const Image& image, int size) {
  std::vector<std::uint8_t> rgb(static_cast<std::size_t>(size) * static_cast<std::size_t>(size) * 3);
  Resizer().resize_and_crop(image, size, rgb);
  return rgb;
}

std::uint64_t fnv1a64(const std::vector<std::uint8_t>& bytes) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3ULL;
  return hash;
}

TEST(Resize, SmallPatternsEqualPillow) {
  const auto lines = test::expected_lines("pattern");
  ASSERT_FALSE(lines.empty());
  for (const auto& line : lines) {
    SCOPED_TRACE(line[1] + " x " + line[2] + " to " + line[3]);
    EXPECT_EQ(resized(test::pattern(std::stoi(line[1]), std::stoi(line[2])), std::stoi(line[3])),
              test::from_hex(line[4]));
  }
}

TEST(Resize, LargePatternsEqualPillow) {
  const auto lines = test::expected_lines("pattern-hash");
  ASSERT_FALSE(lines.empty());
  for (const auto& line : lines) {
    SCOPED_TRACE(line[1] + " x " + line[2] + " to " + line[3]);
    EXPECT_EQ(fnv1a64(resized(test::pattern(std::stoi(line[1]), std::stoi(line[2])), std::stoi(line[3]))),
              std::stoull(line[4], nullptr, 16));
  }
}

TEST(Resize, BicubicPatternsEqualPillow) {
  const auto lines = test::expected_lines("bicubic");
  ASSERT_EQ(lines.size(), 6U);
  Resizer resizer(Interpolation::bicubic);
  for (const auto& line : lines) {
    SCOPED_TRACE(line[1] + " x " + line[2] + " to " + line[3] + ", " + line[4]);
    const auto size = static_cast<std::size_t>(std::stoi(line[4]));
    std::vector<std::uint8_t> rgb(size * size * 3);
    resizer.resize_and_crop(test::pattern(std::stoi(line[1]), std::stoi(line[2])), std::stoi(line[3]),
                            std::stoi(line[4]), rgb);
    EXPECT_EQ(fnv1a64(rgb), std::stoull(line[5], nullptr, 16));
  }
}

TEST(Resize, PhotographsEqualPillow) {
  const auto lines = test::expected_lines("photo");
  ASSERT_GE(lines.size(), 12U);
  ImageDecoder decoder;
  Image image;
  for (const auto& line : lines) {
    SCOPED_TRACE(line[1]);
    decoder.decode(test::source_file("photos/" + line[1]), image);
    EXPECT_EQ(resized(image, std::stoi(line[2])), test::from_hex(line[3]));
  }
}

TEST(Resize, AResizerKeepsNothingOfTheImageBefore) {
  Resizer resizer;
  std::vector<std::uint8_t> rgb(9 * 9 * 3);
  resizer.resize_and_crop(test::pattern(200, 100), 9, rgb);
  resizer.resize_and_crop(test::pattern(31, 10), 9, rgb);
  EXPECT_EQ(rgb, resized(test::pattern(31, 10), 9));
}

TEST(Resize, LongSideIsRoundedDown) {
  EXPECT_EQ(resized_size(500, 375, 224).width, 298);
  EXPECT_EQ(resized_size(375, 500, 224).height, 298);
  EXPECT_EQ(resized_size(64, 64, 224).width, 224);
}

TEST(Resize, CropRoundsHalvesToEven) {
  EXPECT_EQ(centre_crop_begin(225, 224), 0);
  EXPECT_EQ(centre_crop_begin(227, 224), 2);
  EXPECT_EQ(centre_crop_begin(229, 224), 2);
  EXPECT_EQ(centre_crop_begin(298, 224), 37);
}

}  // namespace
}  // namespace bramble::engine
