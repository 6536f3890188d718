// A decoded picture.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace bramble::engine {

/// RGB, eight bits a channel, [height][width][3].
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;
};

/// Makes room for width x height pixels, reusing the memory. Throws FileError, with `path`, for more than 100 million:
/// Pillow's own guard is 89 megapixels; beyond that a small file can demand gigabytes.
void resize_for(const std::filesystem::path& path, std::int64_t width, std::int64_t height, Image& image);

}  // namespace bramble::engine
