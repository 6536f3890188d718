// Image files of whatever format to pixels.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "engine/data/image.h"
#include "engine/data/jpeg.h"
#include "engine/data/png.h"

namespace bramble::engine {

/// Decodes JPEG and PNG, told apart by their first bytes and not by their names, upright as their EXIF says.
/// Keeps its buffers: one decoder a thread, then no allocation once the largest image has passed, but for libpng's own.
class ImageDecoder {
 public:
  /// Throws FileError for a file that is missing, empty, truncated, corrupt, too large or of another format.
  void decode(const std::filesystem::path& path, Image& image);

  /// Memory for what is not in a file of its own; the next call of decode() overwrites it.
  std::vector<std::uint8_t>& scratch() { return file_; }

 private:
  JpegDecoder jpeg_;
  PngDecoder png_;
  std::vector<std::uint8_t> file_;
};

}  // namespace bramble::engine
