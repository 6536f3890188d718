// JPEG files to and from pixels, through libjpeg-turbo.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "engine/data/image.h"

namespace bramble::engine {

bool is_jpeg(std::span<const std::uint8_t> file);

/// Decodes to the same bits as Pillow's `ImageOps.exif_transpose(Image.open(path)).convert("RGB")` on the same
/// libjpeg-turbo. Keeps its buffers: one decoder a thread, then no allocation once the largest image has passed.
class JpegDecoder {
 public:
  JpegDecoder();
  ~JpegDecoder();
  JpegDecoder(JpegDecoder&&) noexcept;

  /// Throws FileError, with `path`, for a file that is truncated, corrupt or no JPEG.
  void decode(const std::filesystem::path& path, std::span<const std::uint8_t> file, Image& image);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class JpegEncoder {
 public:
  JpegEncoder();
  ~JpegEncoder();
  JpegEncoder(JpegEncoder&&) noexcept;

  /// The file's bytes, 4:2:0.
  std::vector<std::uint8_t> encode(const Image& image, int quality);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bramble::engine
