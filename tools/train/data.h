// The images of a run: what is trained on, what is evaluated.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/data/dataset.h"

namespace bramble::train {

struct Data {
  engine::DatasetPtr train;
  engine::DatasetPtr val;  ///< the same classes in the same order; without samples if there is nothing to evaluate
};

/// What `root` holds is told by its contents:
///   train/CLASS/IMAGE and val/CLASS/IMAGE (or test/CLASS/IMAGE);
///   CIFAR's binary files or MNIST's idx files, also where the only folder in `root` holds them;
///   CLASS/IMAGE, or one CIFAR .bin file (`root` itself).
/// What has no part for evaluation is split by `seed` where it is not divided at all: `val_split` of each class'
/// images, rounded down, are for evaluation. Throws engine::FileError, also for fewer than two classes.
Data read_data(const std::filesystem::path& root, double val_split, std::uint64_t seed);

/// The part of `root` that is for evaluation, or all of it if there is none, with labels into `classes`; throws
/// engine::FileError for a class that is not among them.
engine::DatasetPtr read_evaluation_data(const std::filesystem::path& root, const std::vector<std::string>& classes);

}  // namespace bramble::train
