#include "engine/data/exif.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace bramble::engine {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::string_view kExif{"Exif\0\0", 6};
constexpr unsigned kOrientationTag = 0x0112;
constexpr unsigned kShort = 3, kLong = 4;  // TIFF's types

bool begins_with(Bytes bytes, std::string_view text) {
  return bytes.size() >= text.size() && std::equal(text.begin(), text.end(), bytes.begin(), [](char a, std::uint8_t b) {
           return static_cast<std::uint8_t>(a) == b;
         });
}

/// Numbers of a TIFF block in its byte order; nothing where they lie outside it.
class TiffReader {
 public:
  TiffReader(Bytes bytes, bool little_endian) : bytes_(bytes), little_endian_(little_endian) {}

  std::optional<std::uint32_t> number(std::uint64_t offset, std::size_t size) const {
    if (offset > bytes_.size() || bytes_.size() - offset < size) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i)
      value = value << 8 | bytes_[static_cast<std::size_t>(offset) + (little_endian_ ? size - 1 - i : i)];
    return value;
  }

 private:
  Bytes bytes_;
  bool little_endian_;
};

}  // namespace

Orientation tiff_orientation(Bytes tiff) {
  const bool little_endian = begins_with(tiff, std::string_view("II*\0", 4));
  if (!little_endian && !begins_with(tiff, std::string_view("MM\0*", 4))) return Orientation::upright;
  const TiffReader reader(tiff, little_endian);
  const std::optional<std::uint32_t> directory = reader.number(4, 4);
  if (!directory) return Orientation::upright;
  const std::uint32_t entries = reader.number(*directory, 2).value_or(0);
  for (std::uint64_t i = 0; i < entries; ++i) {
    const std::uint64_t entry = *directory + 2 + i * 12;
    const std::optional<std::uint32_t> tag = reader.number(entry, 2);
    if (!tag) break;
    if (*tag != kOrientationTag) continue;
    const std::uint32_t type = reader.number(entry + 2, 2).value_or(0);
    if (type != kShort && type != kLong) break;
    const std::uint32_t value = reader.number(entry + 8, type == kShort ? 2 : 4).value_or(1);
    if (value >= 1 && value <= 8) return static_cast<Orientation>(value);
    break;
  }
  return Orientation::upright;
}

Orientation jpeg_orientation(Bytes file) {
  constexpr std::uint8_t kApp1 = 0xe1, kScan = 0xda, kEnd = 0xd9;
  std::size_t at = 2;
  while (at + 4 <= file.size() && file[at] == 0xff) {
    const std::uint8_t marker = file[at + 1];
    if (marker == 0xff) {  // a fill byte
      ++at;
      continue;
    }
    if (marker == kScan || marker == kEnd) break;
    const std::size_t length = static_cast<std::size_t>(file[at + 2]) << 8 | file[at + 3];
    if (length < 2 || file.size() - at - 2 < length) break;
    const Bytes segment = file.subspan(at + 4, length - 2);
    if (marker == kApp1 && begins_with(segment, kExif)) return tiff_orientation(segment.subspan(kExif.size()));
    at += 2 + length;
  }
  return Orientation::upright;
}

void make_upright(Orientation orientation, Image& image, std::vector<std::uint8_t>& scratch) {
  if (orientation == Orientation::upright) return;
  const std::ptrdiff_t row = std::ptrdiff_t{image.width} * 3;
  const std::ptrdiff_t right = row - 3;
  const std::ptrdiff_t bottom = (image.height - 1) * row;
  // Where the result's first pixel lies in the image, and how far the next one to the right and the next one below.
  struct Walk {
    std::ptrdiff_t begin, across, down;
  };
  const std::array<Walk, 9> walks = {{{},
                                      {0, 3, row},
                                      {right, -3, row},
                                      {bottom + right, -3, -row},
                                      {bottom, 3, -row},
                                      {0, row, 3},
                                      {bottom, -row, 3},
                                      {bottom + right, -row, -3},
                                      {right, row, -3}}};
  const Walk& walk = walks[static_cast<std::size_t>(orientation)];
  if (orientation >= Orientation::transposed) std::swap(image.width, image.height);
  scratch.resize(image.pixels.size());
  std::uint8_t* out = scratch.data();
  for (int y = 0; y < image.height; ++y) {
    std::ptrdiff_t in = walk.begin + y * walk.down;
    for (int x = 0; x < image.width; ++x, in += walk.across, out += 3)
      std::copy_n(image.pixels.data() + in, 3, out);
  }
  image.pixels.swap(scratch);
}

}  // namespace bramble::engine
