// The images of a run: what is trained on, what is evaluated.
#pragma once

#include <cstdint>
#include <filesystem>

#include "engine/data/image_folder.h"

namespace bramble::train {

struct Data {
  engine::ImageFolder train;
  engine::ImageFolder val;  ///< the same classes in the same order; without samples if there is nothing to evaluate
};

/// DIR/train and DIR/val (or DIR/test) where DIR/train exists. Otherwise DIR's classes, each split by `seed`: `val_split`
/// of its images, rounded down, are for evaluation. Throws engine::FileError.
Data read_data(const std::filesystem::path& root, double val_split, std::uint64_t seed);

/// `folder`'s samples with labels into `classes`; throws engine::FileError for a class that is not among them.
engine::ImageFolder with_classes(engine::ImageFolder folder, const std::vector<std::string>& classes,
                                 const std::filesystem::path& root);

}  // namespace bramble::train
