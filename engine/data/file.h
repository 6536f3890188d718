// Files, whole: read, or written so that nothing half-written is ever left under the final name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace bramble::engine {

/// A file or folder that cannot be used. what() is "PATH: reason".
class FileError : public std::runtime_error {
 public:
  FileError(const std::filesystem::path& path, const std::string& reason)
      : std::runtime_error(path.string() + ": " + reason) {}
};

/// Reuses `bytes`' memory.
void read_file(const std::filesystem::path& path, std::vector<std::uint8_t>& bytes);
std::string read_text(const std::filesystem::path& path);

/// Appends to the file that is being written.
using FileSink = std::function<void(std::string_view)>;

/// Writes beside `path` what `write` puts into its sink, flushes to the disk, renames, and flushes the folder. Follows
/// a symbolic link; refuses devices and pipes.
void write_atomically(const std::filesystem::path& path, const std::function<void(const FileSink&)>& write);
void write_atomically(const std::filesystem::path& path, std::string_view text);

/// Makes what was created, renamed or removed in `folder` survive a power cut.
void flush_folder(const std::filesystem::path& folder);

/// Throws what write_atomically would; leaves everything as it is.
void check_writable(const std::filesystem::path& path);

}  // namespace bramble::engine
