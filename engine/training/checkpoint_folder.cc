#include "engine/training/checkpoint_folder.h"

#include <fcntl.h>

#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "engine/data/file.h"

namespace bramble::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "step-";
constexpr const char* kUnfinished = ".unfinished";

std::string folder_name(std::int64_t step) {
  const std::string digits = std::to_string(step);
  return std::string(kPrefix) + std::string(digits.size() < 8 ? 8 - digits.size() : 0, '0') + digits;
}

std::optional<std::int64_t> step_of(const fs::path& folder) {
  const std::string name = folder.filename().string();
  if (!name.starts_with(kPrefix)) return std::nullopt;
  std::int64_t step = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + kPrefix.size(), end, step);
  if (error != std::errc() || stop != end) return std::nullopt;
  return step;
}

std::vector<Checkpoint> all_checkpoints(const fs::path& root) {
  std::vector<Checkpoint> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(root, error))
    if (const auto step = step_of(entry.path())) found.push_back({*step, entry.path()});
  return found;
}

/// Gives the folder its name, also where there is one of that name: then they are exchanged, so that at no moment there
/// is none.
void put_in_place(const fs::path& unfinished, const fs::path& path) {
  std::error_code error;
  if (fs::exists(path, error)) {
    if (renameat2(AT_FDCWD, unfinished.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE) == 0) return;
    fs::remove_all(path, error);  // a file system that cannot exchange
  }
  fs::rename(unfinished, path, error);
  if (error) throw FileError(path, "cannot be written: " + error.message());
}

}  // namespace

std::optional<Checkpoint> newest_checkpoint(const fs::path& root) {
  std::optional<Checkpoint> newest;
  for (const Checkpoint& one : all_checkpoints(root))
    if (!newest || one.step > newest->step) newest = one;
  return newest;
}

Checkpoint save_checkpoint(const fs::path& root, std::int64_t step,
                           const std::function<void(const Checkpoint&)>& write) {
  std::error_code error;
  fs::create_directories(root, error);
  const fs::path unfinished = root / kUnfinished;
  fs::remove_all(unfinished, error);
  if (!fs::create_directory(unfinished, error)) throw FileError(root, "cannot be written: " + error.message());
  const Checkpoint saved{step, root / folder_name(step)};
  try {
    write({step, unfinished});
    flush_folder(unfinished);
    put_in_place(unfinished, saved.path);
  } catch (...) {
    fs::remove_all(unfinished, error);  // a full disk needs the room
    throw;
  }
  flush_folder(root);
  fs::remove_all(unfinished, error);
  for (const Checkpoint& other : all_checkpoints(root))
    if (other.step != step) fs::remove_all(other.path, error);
  return saved;
}

}  // namespace bramble::engine
