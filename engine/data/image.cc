#include "engine/data/image.h"

#include <string>

#include "engine/data/file.h"

namespace bramble::engine {
namespace {

constexpr std::int64_t kMaxPixels = 100'000'000;

}  // namespace

void resize_for(const std::filesystem::path& path, std::int64_t width, std::int64_t height, Image& image) {
  // Divided: a PNG's sides may be 2^31 - 1 each.
  if (width < 1 || height < 1 || width > kMaxPixels / height)
    throw FileError(path, std::to_string(width) + " x " + std::to_string(height) +
                              " pixels are more than the 100 million that an image may have");
  image.width = static_cast<int>(width);
  image.height = static_cast<int>(height);
  image.pixels.resize(static_cast<std::size_t>(width * height) * 3);
}

}  // namespace bramble::engine
