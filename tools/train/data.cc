#include "tools/train/data.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/data/file.h"
#include "engine/data/random.h"

namespace bramble::train {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kAnyClasses = std::numeric_limits<std::int32_t>::max();

/// Splits one class' samples, which lie one after another.
void split_class(std::vector<engine::Sample> samples, double val_split, engine::DataRandom random, Data& data) {
  for (std::size_t i = samples.size(); i > 1; --i) std::swap(samples[i - 1], samples[random.below(i)]);
  const auto kept = static_cast<std::ptrdiff_t>(val_split * static_cast<double>(samples.size()));
  const auto by_path = [](const engine::Sample& a, const engine::Sample& b) { return a.path.native() < b.path.native(); };
  std::sort(samples.begin(), samples.begin() + kept, by_path);
  std::sort(samples.begin() + kept, samples.end(), by_path);
  data.val.samples.insert(data.val.samples.end(), samples.begin(), samples.begin() + kept);
  data.train.samples.insert(data.train.samples.end(), samples.begin() + kept, samples.end());
}

Data split(engine::ImageFolder all, double val_split, std::uint64_t seed) {
  Data data;
  data.train.classes = data.val.classes = all.classes;
  for (auto begin = all.samples.begin(); begin != all.samples.end();) {
    const auto end = std::find_if(begin, all.samples.end(), [&](const auto& one) { return one.label != begin->label; });
    split_class({begin, end}, val_split, {seed, static_cast<std::uint64_t>(begin->label)}, data);
    begin = end;
  }
  return data;
}

}  // namespace

engine::ImageFolder with_classes(engine::ImageFolder folder, const std::vector<std::string>& classes,
                                 const fs::path& root) {
  std::vector<std::int32_t> labels;
  for (const std::string& name : folder.classes) {
    const auto found = std::find(classes.begin(), classes.end(), name);
    if (found == classes.end())
      throw engine::FileError(root, "its class '" + name + "' is not among the classes that were trained");
    labels.push_back(static_cast<std::int32_t>(found - classes.begin()));
  }
  for (engine::Sample& sample : folder.samples) sample.label = labels[static_cast<std::size_t>(sample.label)];
  folder.classes = classes;
  return folder;
}

Data read_data(const fs::path& root, double val_split, std::uint64_t seed) {
  std::error_code error;
  if (!fs::is_directory(root / "train", error))
    return split(engine::read_image_folder(root, kAnyClasses), val_split, seed);
  Data data;
  data.train = engine::read_image_folder(root / "train", kAnyClasses);
  data.val.classes = data.train.classes;
  for (const char* name : {"val", "test"}) {
    if (!fs::is_directory(root / name, error)) continue;
    data.val = with_classes(engine::read_image_folder(root / name, kAnyClasses), data.train.classes, root / name);
    break;
  }
  return data;
}

}  // namespace bramble::train
