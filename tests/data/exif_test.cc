#include "engine/data/exif.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/data/image_decoder.h"
#include "tests/data/expected.h"

namespace bramble::engine {
namespace {

using Bytes = std::vector<std::uint8_t>;

/// A TIFF block whose directory has another tag and then the orientation.
Bytes tiff(int orientation, bool little_endian = true, std::uint8_t type = 3) {
  const auto value = static_cast<std::uint8_t>(orientation);
  if (little_endian)
    return {'I', 'I', '*', 0, 8, 0, 0, 0, 2, 0, 0x0f, 0x01, 2, 0, 1, 0, 0, 0, 'x', 0, 0, 0,
            0x12, 0x01, type, 0, 1, 0, 0, 0, value, 0, 0, 0, 0, 0, 0, 0};
  const bool is_long = type == 4;
  return {'M', 'M', 0, '*', 0, 0, 0, 8, 0, 2, 0x01, 0x0f, 0, 2, 0, 0, 0, 1, 'x', 0, 0, 0,
          0x01, 0x12, 0, type, 0, 0, 0, 1, 0, is_long ? std::uint8_t{0} : value, 0, is_long ? value : std::uint8_t{0},
          0, 0, 0, 0};
}

Bytes with_segment(const Bytes& jpeg, const Bytes& content) {
  Bytes result(jpeg.begin(), jpeg.begin() + 2);
  const std::size_t length = content.size() + 2;
  for (const std::size_t byte : {std::size_t{0xff}, std::size_t{0xe1}, length >> 8, length & 0xff})
    result.push_back(static_cast<std::uint8_t>(byte));
  result.insert(result.end(), content.begin(), content.end());
  result.insert(result.end(), jpeg.begin() + 2, jpeg.end());
  return result;
}

Bytes exif_content(const Bytes& block) {
  Bytes content(6 + block.size());
  std::copy_n("Exif\0", 6, content.begin());
  std::copy(block.begin(), block.end(), content.begin() + 6);
  return content;
}

Bytes photo() {
  const std::string text = test::read_whole(test::source_file("photos/dog/n02089973_English_foxhound.jpg"));
  return {text.begin(), text.end()};
}

int orientation_of(const Bytes& file) { return static_cast<int>(jpeg_orientation(file)); }

TEST(Exif, MakesUprightWhatPillowDoes) {
  const auto lines = test::expected_lines("upright", "data/formats.txt");
  ASSERT_EQ(lines.size(), 8U);
  std::vector<std::uint8_t> scratch;
  for (const auto& line : lines) {
    SCOPED_TRACE("orientation " + line[1]);
    Image image = test::pattern(5, 3);
    make_upright(static_cast<Orientation>(std::stoi(line[1])), image, scratch);
    EXPECT_EQ(image.width, std::stoi(line[2]));
    EXPECT_EQ(image.height, std::stoi(line[3]));
    EXPECT_EQ(image.pixels, test::from_hex(line[4]));
  }
}

TEST(Exif, TurnsPhotographsWhenTheyAreDecoded) {
  const test::TemporaryFolder folder;
  Image stored, turned;
  ImageDecoder decoder;
  decoder.decode(test::source_file("photos/dog/n02089973_English_foxhound.jpg"), stored);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Bytes file = with_segment(photo(), exif_content(tiff(orientation)));
    test::write_whole(folder / "x.jpg", {reinterpret_cast<const char*>(file.data()), file.size()});
    decoder.decode(folder / "x.jpg", turned);
    Image expected = stored;
    std::vector<std::uint8_t> scratch;
    make_upright(static_cast<Orientation>(orientation), expected, scratch);
    EXPECT_EQ(turned.width, expected.width);
    EXPECT_EQ(turned.height, expected.height);
    EXPECT_EQ(turned.pixels, expected.pixels) << orientation;
    EXPECT_EQ(turned.pixels == stored.pixels, orientation == 1);
  }
}

TEST(Exif, IsFoundInEitherByteOrderAndAmongOtherSegments) {
  EXPECT_EQ(orientation_of(photo()), 1);
  for (int orientation = 1; orientation <= 8; ++orientation)
    for (const bool little_endian : {false, true})
      for (const std::uint8_t type : {std::uint8_t{3}, std::uint8_t{4}}) {
        const Bytes file = with_segment(photo(), exif_content(tiff(orientation, little_endian, type)));
        EXPECT_EQ(orientation_of(file), orientation);
        const Bytes xmp = {'h', 't', 't', 'p', ':', '/', '/'};
        EXPECT_EQ(orientation_of(with_segment(file, xmp)), orientation);
      }
}

TEST(Exif, WhatIsMalformedIsUpright) {
  for (const int value : {0, 9, 255}) EXPECT_EQ(orientation_of(with_segment(photo(), exif_content(tiff(value)))), 1);
  EXPECT_EQ(orientation_of(with_segment(photo(), exif_content(tiff(6, true, 7)))), 1) << "a type that is no number";
  const Bytes whole = tiff(6);
  EXPECT_EQ(tiff_orientation(whole), Orientation::rotated_clockwise);
  for (std::size_t kept = 0; kept < whole.size(); ++kept) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(kept));
    const int found = static_cast<int>(tiff_orientation(cut));
    EXPECT_TRUE(found == 1 || (found == 6 && kept >= 32)) << kept << " bytes";
  }
  // Offsets that point outside, also where adding to them would overflow.
  for (const std::uint8_t byte : {std::uint8_t{0x7f}, std::uint8_t{0xff}}) {
    Bytes far = whole;
    far[4] = far[5] = far[6] = far[7] = byte;
    EXPECT_EQ(tiff_orientation(far), Orientation::upright);
  }
  Bytes many = whole;
  many[8] = many[9] = 0xff;
  many[22] = 0;
  EXPECT_EQ(tiff_orientation(many), Orientation::upright);
}

TEST(Exif, NoDamageToAJpegsSegmentsReadsOutsideIt) {
  const Bytes whole = with_segment(photo(), exif_content(tiff(6)));
  for (std::size_t kept = 0; kept < 80; ++kept) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(kept));
    jpeg_orientation(cut);
  }
  for (std::size_t at = 2; at < 60; ++at)
    for (const std::uint8_t byte : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{0x7f}, std::uint8_t{0xff}}) {
      Bytes damaged = whole;
      damaged[at] = byte;
      const int found = orientation_of(damaged);
      EXPECT_TRUE(found >= 1 && found <= 8);
    }
}

}  // namespace
}  // namespace bramble::engine
