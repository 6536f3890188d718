// A folder of class folders with pictures in them, as torchvision's ImageFolder reads it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bramble::engine {

struct Sample {
  std::filesystem::path path;
  std::int32_t label = 0;  ///< index into ImageFolder::classes
};

struct ImageFolder {
  std::vector<std::string> classes;  ///< sorted by byte
  std::vector<Sample> samples;       ///< sorted by class, then by name
};

/// Classes are the folders in `root`, samples their *.jpg, *.jpeg and *.png in any case; names that begin with a dot
/// are passed over. Throws FileError for a folder that is missing or empty, for a class without images and for more than
/// `max_classes` classes.
ImageFolder read_image_folder(const std::filesystem::path& root, std::int64_t max_classes);

}  // namespace bramble::engine
