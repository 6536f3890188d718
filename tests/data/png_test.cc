#include "engine/data/png.h"

#include <gtest/gtest.h>

#include "engine/data/file.h"
#include "engine/data/image_decoder.h"
#include "tests/data/expected.h"

namespace bramble::engine {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes png_file(const std::string& name) {
  for (const auto& line : test::expected_lines("png", "data/formats.txt"))
    if (line[1] == name) return test::from_hex(line[2]);
  ADD_FAILURE() << "formats.txt has no " << name;
  return {};
}

std::string error_of(const Bytes& file) {
  PngDecoder decoder;
  Image image;
  try {
    decoder.decode("x.png", file, image);
  } catch (const FileError& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("x.png: ")) << error.what();
    return error.what();
  }
  return "";
}

/// Decodes every file of one kind by its contents, under a name that says something else.
void expect_pillows_pixels(const std::string& kind, std::size_t count) {
  const auto lines = test::expected_lines(kind, "data/formats.txt");
  EXPECT_EQ(lines.size(), count);
  const test::TemporaryFolder folder;
  ImageDecoder decoder;  // one for all: it keeps nothing of the image before
  Image image;
  for (const auto& line : lines) {
    SCOPED_TRACE(line[1]);
    const Bytes file = test::from_hex(line[2]);
    test::write_whole(folder / "picture.gif", {reinterpret_cast<const char*>(file.data()), file.size()});
    decoder.decode(folder / "picture.gif", image);
    EXPECT_EQ(image.width, std::stoi(line[3]));
    EXPECT_EQ(image.height, std::stoi(line[4]));
    EXPECT_EQ(image.pixels, test::from_hex(line[5]));
  }
}

TEST(Png, EveryColourTypeAndDepthEqualsPillow) { expect_pillows_pixels("png", 35); }

TEST(Jpeg, OneAndFourChannelsEqualPillow) { expect_pillows_pixels("jpeg", 3); }

TEST(Png, EveryTruncationIsAnError) {
  for (const char* name : {"rgb_8", "palette_4_interlaced", "gray_1"}) {
    const Bytes whole = png_file(name);
    EXPECT_EQ(error_of(whole), "");
    for (std::size_t kept = 0; kept < whole.size(); ++kept)
      EXPECT_NE(error_of({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(kept)}), "")
          << name << ' ' << kept;
  }
}

TEST(Png, DamagedBytesAreAnErrorOrHarmless) {
  const Bytes whole = png_file("palette_4_transparent");
  for (std::size_t at = 0; at < whole.size(); ++at) {
    Bytes damaged = whole;
    damaged[at] ^= 0x55;
    const std::string error = error_of(damaged);
    // Everything that decides about pixels has a checksum; the transparency is dropped anyway.
    const bool in_header_or_palette = at >= 8 && at < 8 + 25 + 12 + 48;
    EXPECT_TRUE(!in_header_or_palette || !error.empty()) << "byte " << at;
  }
}

TEST(Png, SidesThatAskForGigabytesAreRefused) {
  Bytes huge = png_file("rgb_8");
  // 65500 x 65500, with the header's checksum made right.
  const Bytes header = {0x49, 0x48, 0x44, 0x52, 0, 0, 0xff, 0xdc, 0, 0, 0xff, 0xdc, 8, 2, 0, 0, 0};
  std::uint32_t crc = 0xffffffff;
  for (const std::uint8_t byte : header) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
  }
  crc = ~crc;
  std::copy(header.begin(), header.end(), huge.begin() + 12);
  for (std::size_t i = 0; i < 4; ++i) huge[29 + i] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
  EXPECT_EQ(error_of(huge), "x.png: 65500 x 65500 pixels are more than the 100 million that an image may have");
}

}  // namespace
}  // namespace bramble::engine
