// A folder of class folders with pictures in them, as torchvision's ImageFolder reads it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/data/dataset.h"

namespace bramble::engine {

struct Sample {
  std::filesystem::path path;
  std::int32_t label = 0;  ///< index into ImageFolder::classes
};

struct ImageFolder : Dataset {
  std::vector<std::string> classes;  ///< sorted by byte
  std::vector<Sample> samples;       ///< sorted by class, then by name

  const std::vector<std::string>& class_names() const override { return classes; }
  std::size_t size() const override { return samples.size(); }
  std::int32_t label(std::size_t sample) const override { return samples[sample].label; }
  std::string name(std::size_t sample) const override { return samples[sample].path.string(); }
  void decode(std::size_t sample, ImageDecoder& decoder, Image& image) const override;
  /// Gone where the class' folder is.
  void check_present(std::size_t sample) const override;
};

/// Classes are the folders in `root`, samples their *.jpg, *.jpeg and *.png in any case; names that begin with a dot
/// are passed over. Throws FileError for a folder that is missing or empty, for a class without images and for more
/// than `max_classes` classes.
ImageFolder read_image_folder(const std::filesystem::path& root, std::int64_t max_classes);

/// What is in `folder` but for names that begin with a dot, sorted by byte. Throws FileError.
std::vector<std::filesystem::path> sorted_entries(const std::filesystem::path& folder);

}  // namespace bramble::engine
