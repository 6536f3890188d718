// Pictures of one size that lie in large files, one after another, uncompressed.
#pragma once

#include <vector>

#include "engine/data/byte_source.h"
#include "engine/data/dataset.h"

namespace bramble::engine {

/// One file of them.
struct RawImages {
  ByteSourcePtr bytes;
  std::uint64_t first = 0;   ///< offset of the first picture, in bytes
  std::uint64_t stride = 0;  ///< from one picture to the next
  std::vector<std::int32_t> labels;
};

struct RawFormat {
  int width = 0;
  int height = 0;
  int planes = 3;  ///< 3: red, green, blue, each [height][width]; 1: gray
};

/// Reads a picture's bytes when it is decoded; keeps the labels only.
class RawDataset : public Dataset {
 public:
  RawDataset(std::vector<std::string> classes, const RawFormat& format, std::vector<RawImages> files);

  const std::vector<std::string>& class_names() const override { return classes_; }
  std::size_t size() const override { return size_; }
  std::int32_t label(std::size_t sample) const override;
  std::string name(std::size_t sample) const override;
  void decode(std::size_t sample, ImageDecoder& decoder, Image& image) const override;
  /// The file stays open: where it cannot be read any more, all of it is gone.
  void check_present(std::size_t sample) const override;

 private:
  struct Place {
    const RawImages& file;
    std::size_t index;
  };
  Place find(std::size_t sample) const;

  std::vector<std::string> classes_;
  RawFormat format_;
  std::vector<RawImages> files_;
  std::size_t size_ = 0;
};

/// `text`'s lines without the empty ones and without blanks at their ends, as class names.
std::vector<std::string> class_names_of(std::string_view text);

}  // namespace bramble::engine
