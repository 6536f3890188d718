// CIFAR-10 and CIFAR-100 in their binary version (https://www.cs.toronto.edu/~kriz/cifar.html).
#pragma once

#include <filesystem>
#include <optional>

#include "engine/data/dataset.h"

namespace bramble::engine {

/// `folder` holds data_batch_1.bin to data_batch_5.bin and test_batch.bin (CIFAR-10: records of a label and 32 x 32
/// pixels in three planes) or train.bin and test.bin (CIFAR-100: a coarse and a fine label first; the fine one is
/// taken). Class names are batches.meta.txt's or fine_label_names.txt's where they lie beside; else CIFAR-10's own, or
/// numbers. Nothing if no such file is there. Throws FileError for files that are truncated or not what their names
/// say, and where the folder holds the version for Python instead.
std::optional<TrainAndTest> find_cifar(const std::filesystem::path& folder);

/// One such file, whichever its name. Throws FileError.
DatasetPtr read_cifar_file(const std::filesystem::path& file);

}  // namespace bramble::engine
