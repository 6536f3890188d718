#include "engine/data/cifar.h"

#include <algorithm>
#include <array>
#include <string>

#include "engine/data/file.h"
#include "engine/data/image_folder.h"
#include "engine/data/raw_dataset.h"

namespace bramble::engine {
namespace {

namespace fs = std::filesystem;

constexpr RawFormat kFormat{.width = 32, .height = 32, .planes = 3};
constexpr std::uint64_t kPixels = 32 * 32 * 3;

struct Variant {
  std::uint64_t labels;  ///< bytes of them before the pixels; the last one counts
  std::int32_t classes;
  const char* names;  ///< the file that has them
  std::uint64_t record() const { return labels + kPixels; }
};
constexpr Variant kCifar10{1, 10, "batches.meta.txt"};
constexpr Variant kCifar100{2, 100, "fine_label_names.txt"};

/// The variant of a file of this size; nothing where both or none fit.
const Variant* variant_of(std::uint64_t size) {
  const bool ten = size % kCifar10.record() == 0;
  const bool hundred = size % kCifar100.record() == 0;
  if (size == 0 || ten == hundred) return nullptr;
  return ten ? &kCifar10 : &kCifar100;
}

std::vector<std::string> names_of(const Variant& variant, const fs::path& folder) {
  static const std::vector<std::string> kOfCifar10 = {"airplane", "automobile", "bird",  "cat",  "deer",
                                                      "dog",      "frog",       "horse", "ship", "truck"};
  std::error_code error;
  const fs::path file = folder / variant.names;
  if (fs::exists(file, error)) {
    std::vector<std::string> names = class_names_of(read_text(file));
    if (std::ssize(names) != variant.classes)
      throw FileError(file,
                      "holds " + std::to_string(names.size()) + " names instead of " + std::to_string(variant.classes));
    return names;
  }
  if (variant.classes == 10) return kOfCifar10;
  std::vector<std::string> names;
  for (int i = 0; i < variant.classes; ++i) names.push_back(std::to_string(i));
  return names;
}

RawImages read_batch(const fs::path& path, const Variant& variant) {
  RawImages batch{.bytes = open_byte_source(path), .first = variant.labels, .stride = variant.record(), .labels = {}};
  const std::uint64_t size = batch.bytes->size();
  if (size == 0 || size % variant.record() != 0)
    throw FileError(path, std::to_string(size) + " bytes are no whole records of CIFAR-" +
                              std::to_string(variant.classes) + " (" + std::to_string(variant.record()) +
                              " bytes each): truncated, or another file");
  batch.labels.reserve(size / variant.record());
  for (std::uint64_t at = variant.labels - 1; at < size; at += variant.record()) {
    std::array<std::uint8_t, 1> label{};
    batch.bytes->read(at, label);
    if (label[0] >= variant.classes)
      throw FileError(path, "image " + std::to_string(batch.labels.size()) + " has label " + std::to_string(label[0]) +
                                ", but there are " + std::to_string(variant.classes) + " classes: it is no CIFAR file");
    batch.labels.push_back(label[0]);
  }
  return batch;
}

DatasetPtr read_batches(const std::vector<fs::path>& paths, const Variant& variant) {
  std::vector<RawImages> batches;
  for (const fs::path& path : paths) batches.push_back(read_batch(path, variant));
  return std::make_shared<RawDataset>(names_of(variant, paths.front().parent_path()), kFormat, std::move(batches));
}

/// The files in `folder` whose names begin so and end in .bin.
std::vector<fs::path> batches_in(const fs::path& folder, const std::string& prefix) {
  std::vector<fs::path> found = sorted_entries(folder);
  std::erase_if(found, [&](const fs::path& path) {
    return path.extension() != ".bin" || !path.filename().string().starts_with(prefix);
  });
  return found;
}

void refuse_pickles(const fs::path& folder) {
  std::error_code error;
  const bool ten = fs::exists(folder / "data_batch_1", error) && fs::exists(folder / "batches.meta", error);
  const bool hundred = fs::is_regular_file(folder / "train", error) && fs::is_regular_file(folder / "meta", error);
  if (ten || hundred)
    throw FileError(folder, "holds CIFAR as Python objects; take the binary version, or make it of this one with "
                            "tools/cifar_to_binary.py");
}

}  // namespace

std::optional<TrainAndTest> find_cifar(const fs::path& folder) {
  const struct {
    const Variant& variant;
    const char* train;
    const char* test;
  } layouts[] = {{kCifar10, "data_batch", "test_batch"}, {kCifar100, "train", "test"}};
  for (const auto& layout : layouts) {
    const std::vector<fs::path> train = batches_in(folder, layout.train);
    const std::vector<fs::path> test = batches_in(folder, layout.test);
    if (train.empty() && test.empty()) continue;
    if (train.empty())
      throw FileError(folder, std::string("holds CIFAR's ") + layout.test + ".bin but no " + layout.train);
    return TrainAndTest{read_batches(train, layout.variant),
                        test.empty() ? nullptr : read_batches(test, layout.variant)};
  }
  refuse_pickles(folder);
  return std::nullopt;
}

DatasetPtr read_cifar_file(const fs::path& file) {
  const Variant* variant = variant_of(open_byte_source(file)->size());
  if (variant == nullptr) throw FileError(file, "is neither a folder nor a .bin file of CIFAR's");
  return read_batches({file}, *variant);
}

}  // namespace bramble::engine
