// The one thing in a photograph's EXIF that changes its pixels: which way up the camera was held.
//
// Read here and not by libexif, which parses, allocates and keeps every tag, the makers' notes among them, of each of
// millions of files.
#pragma once

#include <cstdint>
#include <span>

#include "engine/data/image.h"

namespace bramble::engine {

/// EXIF's Orientation, 1 to 8: what has to be done to the stored pixels to see the picture upright.
enum class Orientation {
  upright = 1,
  mirrored,             ///< left and right exchanged
  rotated_180,
  flipped,              ///< top and bottom exchanged
  transposed,
  rotated_clockwise,    ///< a quarter turn clockwise makes it upright
  transversed,          ///< transposed along the other diagonal
  rotated_anticlockwise
};

/// Of a whole JPEG file, of its first Exif segment. Upright where there is none or where it is malformed.
Orientation jpeg_orientation(std::span<const std::uint8_t> file);

/// Of what an Exif segment or a PNG's eXIf chunk holds: a TIFF header and its first directory.
Orientation tiff_orientation(std::span<const std::uint8_t> tiff);

/// As Pillow's ImageOps.exif_transpose. `scratch` is where the result is made; its memory is exchanged with the
/// image's.
void make_upright(Orientation orientation, Image& image, std::vector<std::uint8_t>& scratch);

}  // namespace bramble::engine
