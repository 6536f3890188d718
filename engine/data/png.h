// PNG files to pixels, through libpng.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "engine/data/image.h"

namespace bramble::engine {

bool is_png(std::span<const std::uint8_t> file);

/// Decodes to the same bits as Pillow's `Image.open(path).convert("RGB")`: every colour type and depth, interlaced or
/// not; transparency is dropped, the colours below it stay; of 16 bits the upper eight are taken. Of grayscale with 16
/// bits too, where Pillow would make everything above 255 white. The orientation of an eXIf chunk is applied. Of an
/// animation the first picture. Keeps its buffers: one a thread.
class PngDecoder {
 public:
  PngDecoder();
  ~PngDecoder();
  PngDecoder(PngDecoder&&) noexcept;

  /// Throws FileError, with `path`, for a file that is truncated, corrupt or no PNG.
  void decode(const std::filesystem::path& path, std::span<const std::uint8_t> file, Image& image);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bramble::engine
