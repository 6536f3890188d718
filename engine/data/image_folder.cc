#include "engine/data/image_folder.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "engine/data/file.h"

namespace bramble::engine {
namespace {

namespace fs = std::filesystem;

bool is_hidden(const fs::path& path) { return path.filename().native().starts_with('.'); }

bool has_image_extension(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

void add_class(const fs::path& folder, std::int32_t label, std::vector<Sample>& samples) {
  const std::size_t before = samples.size();
  bool has_folders = false;
  std::error_code error;
  for (const fs::path& entry : sorted_entries(folder)) {
    if (fs::is_directory(entry, error)) {
      has_folders = true;
    } else if (has_image_extension(entry)) {
      samples.push_back({entry, label});
    }
  }
  if (samples.size() > before) return;
  // The usual slip: the folder above train/ and val/.
  const std::string hint = has_folders ? "; it holds folders: is " + folder.string() + " the folder of classes?" : "";
  throw FileError(folder, "class folder without an image (.jpg, .jpeg, .png)" + hint);
}

}  // namespace

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> entries;
  try {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      if (!is_hidden(entry.path())) entries.push_back(entry.path());
    }
  } catch (const fs::filesystem_error& error) {
    throw FileError(folder, error.code().message());
  }
  std::sort(entries.begin(), entries.end(),
            [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
  return entries;
}

void ImageFolder::decode(std::size_t sample, ImageDecoder& decoder, Image& image) const {
  decoder.decode(samples[sample].path, image);
}

void ImageFolder::check_present(std::size_t sample) const {
  const fs::path folder = samples[sample].path.parent_path();
  std::error_code error;
  if (!fs::is_directory(folder, error)) throw DataGone(folder, "the folder of images has gone");
}

ImageFolder read_image_folder(const fs::path& root, std::int64_t max_classes) {
  std::error_code error;
  if (!fs::exists(root, error)) throw FileError(root, "no such folder");
  if (!fs::is_directory(root, error)) throw FileError(root, "is not a folder");
  ImageFolder folder;
  std::vector<fs::path> class_folders = sorted_entries(root);
  std::erase_if(class_folders, [&](const fs::path& path) { return !fs::is_directory(path, error); });
  if (class_folders.empty()) throw FileError(root, "no class folder in it; expected CLASS/IMAGE.jpg");
  if (std::cmp_greater(class_folders.size(), max_classes)) {
    throw FileError(
        root, std::to_string(class_folders.size()) + " classes, but --classes allows " + std::to_string(max_classes));
  }
  for (const fs::path& class_folder : class_folders) {
    add_class(class_folder, static_cast<std::int32_t>(folder.classes.size()), folder.samples);
    folder.classes.push_back(class_folder.filename().string());
  }
  return folder;
}

}  // namespace bramble::engine
