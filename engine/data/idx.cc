#include "engine/data/idx.h"

#include <algorithm>
#include <array>
#include <string>

#include "engine/data/file.h"
#include "engine/data/image_folder.h"
#include "engine/data/raw_dataset.h"

namespace bramble::engine {
namespace {

namespace fs = std::filesystem;

/// Two zeros, the type (8: unsigned bytes), the number of dimensions; then each dimension, big-endian.
struct IdxFile {
  ByteSourcePtr bytes;
  std::vector<std::uint32_t> shape;
  std::uint64_t begin() const { return 4 + 4 * shape.size(); }
};

IdxFile open_idx(const fs::path& path, std::size_t dimensions) {
  IdxFile file{open_byte_source(path), {}};
  std::array<std::uint8_t, 4> word{};
  const auto next_word = [&](std::uint64_t at) {
    file.bytes->read(at, word);
    return std::uint32_t{word[0]} << 24 | std::uint32_t{word[1]} << 16 | std::uint32_t{word[2]} << 8 | word[3];
  };
  if (next_word(0) != (0x800 | dimensions))
    throw FileError(path, "is no IDX file of bytes in " + std::to_string(dimensions) + " dimensions");
  std::uint64_t count = 1;
  for (std::size_t i = 0; i < dimensions; ++i) {
    file.shape.push_back(next_word(4 + 4 * i));
    constexpr std::uint64_t kMaxSide = 1 << 16;
    if (i > 0 && file.shape[i] > kMaxSide) throw FileError(path, "its pictures are too large");
    count *= file.shape[i];  // below 2^64: one side is 32 bits, two are 16
  }
  if (file.bytes->size() != file.begin() + count)
    throw FileError(path, "has " + std::to_string(file.bytes->size()) + " bytes, but its header says " +
                              std::to_string(file.begin() + count) + ": truncated or damaged");
  return file;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

bool contains(const fs::path& path, const char* part) {
  return path.filename().string().find(part) != std::string::npos;
}

/// The image files in `folder`. Of a file and its .gz the file.
std::vector<fs::path> image_files(const fs::path& folder) {
  std::vector<fs::path> found = sorted_entries(folder);
  std::erase_if(found, [&](const fs::path& path) {
    std::error_code error;
    return !contains(path, "images") || !contains(path, "idx3") || !fs::is_regular_file(path, error) ||
           (path.extension() == ".gz" && fs::exists(fs::path(path).replace_extension(), error));
  });
  return found;
}

fs::path labels_beside(const fs::path& images) {
  std::string name = replaced(replaced(images.filename().string(), "images", "labels"), "idx3", "idx1");
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  std::error_code error;
  for (const char* ending : {"", ".gz"})
    if (fs::path path = images.parent_path() / (name + ending); fs::exists(path, error)) return path;
  throw FileError(images, "has no labels beside it: " + name + " is missing");
}

struct Part {
  RawFormat format;
  RawImages images;
};

Part read_part(const fs::path& path) {
  const IdxFile images = open_idx(path, 3);
  const fs::path labels_path = labels_beside(path);
  const IdxFile labels = open_idx(labels_path, 1);
  if (labels.shape[0] != images.shape[0])
    throw FileError(labels_path, "has " + std::to_string(labels.shape[0]) + " labels for " +
                                     std::to_string(images.shape[0]) + " images");
  if (images.shape[0] == 0) throw FileError(path, "holds no image");
  const RawFormat format{static_cast<int>(images.shape[2]), static_cast<int>(images.shape[1]), 1};
  std::vector<std::uint8_t> values(labels.shape[0]);
  labels.bytes->read(labels.begin(), values);
  const std::uint64_t pixels = std::uint64_t{images.shape[1]} * images.shape[2];
  return {format, {images.bytes, images.begin(), pixels, {values.begin(), values.end()}}};
}

std::vector<std::string> names_of(const std::vector<const Part*>& parts, const fs::path& folder) {
  std::int32_t largest = 0;
  for (const Part* part : parts) largest = std::max(largest, *std::ranges::max_element(part->images.labels));
  std::error_code error;
  const fs::path file = folder / "classes.txt";
  if (fs::exists(file, error)) {
    std::vector<std::string> names = class_names_of(read_text(file));
    if (std::ssize(names) <= largest)
      throw FileError(
          file, "names " + std::to_string(names.size()) + " classes, but there is a label " + std::to_string(largest));
    return names;
  }
  std::vector<std::string> names;
  for (std::int32_t label = 0; label <= largest; ++label) names.push_back(std::to_string(label));
  return names;
}

}  // namespace

std::optional<TrainAndTest> find_idx(const fs::path& folder) {
  std::optional<Part> train, test;
  for (const fs::path& path : image_files(folder)) {
    std::optional<Part>& part = contains(path, "t10k") || contains(path, "test") ? test : train;
    if (part) throw FileError(folder, "holds more than one dataset; give each a folder of its own");
    part = read_part(path);
  }
  if (!train && !test) return std::nullopt;
  if (!train) throw FileError(folder, "holds test images but none to train on");
  std::vector<const Part*> parts = {&*train};
  if (test) parts.push_back(&*test);
  const std::vector<std::string> names = names_of(parts, folder);
  const auto dataset = [&](const Part& part) {
    return std::make_shared<RawDataset>(names, part.format, std::vector<RawImages>{part.images});
  };
  return TrainAndTest{dataset(*train), test ? dataset(*test) : nullptr};
}

}  // namespace bramble::engine
