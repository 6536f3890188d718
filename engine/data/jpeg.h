// JPEG files to and from pixels, through libjpeg-turbo.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

namespace bramble::engine {

/// RGB, eight bits a channel, [height][width][3].
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;
};

/// Decodes to the same bits as Pillow's `Image.open(path).convert("RGB")` on the same libjpeg-turbo.
/// Keeps its buffers: one decoder a thread, then no allocation once the largest image has passed.
class JpegDecoder {
 public:
  JpegDecoder();
  ~JpegDecoder();
  JpegDecoder(JpegDecoder&&) noexcept;

  /// Throws FileError for a file that is missing, truncated, corrupt or no JPEG.
  void decode(const std::filesystem::path& path, Image& image);

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
