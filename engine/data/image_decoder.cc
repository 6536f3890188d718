#include "engine/data/image_decoder.h"

#include "engine/data/file.h"

namespace bramble::engine {

void ImageDecoder::decode(const std::filesystem::path& path, Image& image) {
  read_file(path, file_);
  if (file_.empty()) throw FileError(path, "is empty");
  if (is_jpeg(file_)) {
    jpeg_.decode(path, file_, image);
  } else if (is_png(file_)) {
    png_.decode(path, file_, image);
  } else {
    throw FileError(path, "is neither a JPEG nor a PNG");
  }
}

}  // namespace bramble::engine
