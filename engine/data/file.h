// Files, whole: read, or written so that nothing half-written is ever left under the final name.
#pragma once

#include <cstdint>
#include <filesystem>
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

/// Writes beside `path`, flushes to the disk, then renames. Follows a symbolic link; refuses devices and pipes.
void write_atomically(const std::filesystem::path& path, std::string_view text);

/// Throws what write_atomically would; leaves everything as it is.
void check_writable(const std::filesystem::path& path);

}  // namespace bramble::engine
