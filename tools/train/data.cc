#include "tools/train/data.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "engine/data/cifar.h"
#include "engine/data/file.h"
#include "engine/data/idx.h"
#include "engine/data/image_folder.h"
#include "engine/data/random.h"

namespace bramble::train {
namespace {

namespace fs = std::filesystem;
using engine::DatasetPtr;
using engine::DatasetView;
using Samples = std::vector<std::size_t>;

DatasetPtr read_folder(const fs::path& root) {
  return std::make_shared<engine::ImageFolder>(
      engine::read_image_folder(root, std::numeric_limits<std::int32_t>::max()));
}

std::vector<fs::path> folders_in(const fs::path& root) {
  std::vector<fs::path> folders = engine::sorted_entries(root);
  std::error_code error;
  std::erase_if(folders, [&](const fs::path& path) { return !fs::is_directory(path, error); });
  return folders;
}

/// The folder with the samples for evaluation.
std::optional<fs::path> evaluation_folder(const fs::path& root) {
  std::error_code error;
  for (const char* name : {"val", "test"})
    if (fs::is_directory(root / name, error)) return root / name;
  return std::nullopt;
}

/// A dataset in large files. Archives unpack into a folder of their own: it may be the only one in `root`, or in that.
std::optional<engine::TrainAndTest> find_packed(fs::path root) {
  for (int depth = 0; depth < 3; ++depth) {
    if (auto found = engine::find_cifar(root)) return found;
    if (auto found = engine::find_idx(root)) return found;
    const std::vector<fs::path> folders = folders_in(root);
    if (folders.size() != 1) break;
    root = folders.front();
  }
  return std::nullopt;
}

/// Whatever is there, with the part for evaluation if it has one.
engine::TrainAndTest read_parts(const fs::path& root) {
  std::error_code error;
  if (!fs::exists(root, error)) throw engine::FileError(root, "no such folder");
  if (!fs::is_directory(root, error)) return {engine::read_cifar_file(root), nullptr};
  if (fs::is_directory(root / "train", error)) {
    const std::optional<fs::path> evaluated = evaluation_folder(root);
    return {read_folder(root / "train"), evaluated ? read_folder(*evaluated) : nullptr};
  }
  if (auto packed = find_packed(root)) return *packed;
  if (folders_in(root).empty())
    throw engine::FileError(root,
                            "holds no data that is known: neither class folders (CLASS/IMAGE.jpg), nor CIFAR's .bin "
                            "files, nor MNIST's idx files");
  return {read_folder(root), nullptr};
}

/// Class names are written into the model's file and the reports, all of them UTF-8.
void check_names(const fs::path& root, const std::vector<std::string>& names) {
  if (names.size() < 2)
    throw engine::FileError(root, "has one class only ('" + names.at(0) + "'); there must be two to tell apart");
  for (const std::string& name : names) {
    try {
      nlohmann::json(name).dump();
    } catch (const nlohmann::json::exception&) {
      throw engine::FileError(root / name, "the class' name is not valid UTF-8: rename the folder");
    }
  }
}

/// Splits one class' samples.
void split_class(Samples samples, double val_split, engine::DataRandom random, Samples& train, Samples& val) {
  for (std::size_t i = samples.size(); i > 1; --i) std::swap(samples[i - 1], samples[random.below(i)]);
  const auto kept = samples.begin() + static_cast<std::ptrdiff_t>(val_split * static_cast<double>(samples.size()));
  std::sort(samples.begin(), kept);
  std::sort(kept, samples.end());
  val.insert(val.end(), samples.begin(), kept);
  train.insert(train.end(), kept, samples.end());
}

Data split(const DatasetPtr& all, double val_split, std::uint64_t seed) {
  std::vector<Samples> by_class(all->class_names().size());
  for (std::size_t i = 0; i < all->size(); ++i) by_class[static_cast<std::size_t>(all->label(i))].push_back(i);
  Samples train, val;
  for (std::size_t label = 0; label < by_class.size(); ++label)
    split_class(by_class[label], val_split, {seed, label}, train, val);
  return {std::make_shared<DatasetView>(all, std::move(train)), std::make_shared<DatasetView>(all, std::move(val))};
}

Samples all_of(const engine::Dataset& dataset) {
  Samples samples(dataset.size());
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = i;
  return samples;
}

DatasetPtr with_classes(const DatasetPtr& data, const std::vector<std::string>& classes, const fs::path& root) {
  if (data->class_names() == classes) return data;
  std::vector<std::int32_t> labels;
  for (const std::string& name : data->class_names()) {
    const auto found = std::find(classes.begin(), classes.end(), name);
    if (found == classes.end())
      throw engine::FileError(root, "its class '" + name + "' is not among the classes that were trained");
    labels.push_back(static_cast<std::int32_t>(found - classes.begin()));
  }
  return std::make_shared<DatasetView>(data, all_of(*data), classes, std::move(labels));
}

}  // namespace

Data read_data(const fs::path& root, double val_split, std::uint64_t seed) {
  const engine::TrainAndTest parts = read_parts(root);
  const std::vector<std::string>& classes = parts.train->class_names();
  check_names(root, classes);
  if (parts.test) return {parts.train, with_classes(parts.test, classes, root)};
  std::error_code error;
  if (fs::is_directory(root / "train", error))
    return {parts.train, std::make_shared<DatasetView>(parts.train, Samples())};
  return split(parts.train, val_split, seed);
}

DatasetPtr read_evaluation_data(const fs::path& root, const std::vector<std::string>& classes) {
  if (const std::optional<fs::path> folder = evaluation_folder(root))
    return with_classes(read_folder(*folder), classes, *folder);
  const engine::TrainAndTest parts = read_parts(root);
  return with_classes(parts.test ? parts.test : parts.train, classes, root);
}

}  // namespace bramble::train
