// MNIST's format, which Fashion-MNIST, KMNIST and EMNIST share (http://yann.lecun.com/exdb/mnist/).
#pragma once

#include <filesystem>
#include <optional>

#include "engine/data/dataset.h"

namespace bramble::engine {

/// `folder` holds train-images-idx3-ubyte and train-labels-idx1-ubyte, and t10k-... or ...test-... for the test images;
/// each as it is or as .gz, with '-' or '.' before "idx". Gray pictures become three equal channels. Classes are called
/// 0, 1, ... up to the largest label, or as the lines of a classes.txt beside say. Nothing if no such file is there.
/// Throws FileError for what is truncated or malformed, for images without labels, and for a folder with several
/// datasets.
std::optional<TrainAndTest> find_idx(const std::filesystem::path& folder);

}  // namespace bramble::engine
