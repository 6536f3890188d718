#include "engine/data/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "engine/data/file.h"

namespace bramble::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxUnpacked = std::size_t{512} << 20;

FileError ends_early(const fs::path& path) { return {path, "ends too early: it is truncated"}; }

/// Read, not mapped: a mapped file that somebody shortens ends the program.
class FileBytes : public ByteSource {
 public:
  explicit FileBytes(const fs::path& path) : ByteSource(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat status {};
    if (fd_ < 0 || ::fstat(fd_, &status) != 0) throw FileError(path, std::strerror(errno));
    if (!S_ISREG(status.st_mode)) {
      ::close(fd_);
      throw FileError(path, "is not a regular file");
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
  ~FileBytes() override { ::close(fd_); }
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;

  std::uint64_t size() const override { return size_; }

  void read(std::uint64_t offset, std::span<std::uint8_t> bytes) const override {
    while (!bytes.empty()) {
      const ssize_t got = ::pread(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw FileError(path(), std::strerror(errno));
      if (got == 0) throw ends_early(path());
      offset += static_cast<std::uint64_t>(got);
      bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
  }

 private:
  int fd_;
  std::uint64_t size_ = 0;
};

class UnpackedBytes : public ByteSource {
 public:
  explicit UnpackedBytes(const fs::path& path) : ByteSource(path) {
    const gzFile file = gzopen(path.c_str(), "rb");
    if (file == nullptr) throw FileError(path, std::strerror(errno));
    std::string error;
    try {
      error = unpack(file);
    } catch (...) {
      gzclose_r(file);
      throw;
    }
    // Z_BUF_ERROR here: the file ended within the packed stream.
    if (gzclose_r(file) != Z_OK && error.empty()) error = "it is truncated";
    if (!error.empty()) throw FileError(path, "cannot be unpacked: " + error);
    bytes_.shrink_to_fit();
  }

  std::uint64_t size() const override { return bytes_.size(); }

  void read(std::uint64_t offset, std::span<std::uint8_t> bytes) const override {
    if (offset > bytes_.size() || bytes_.size() - offset < bytes.size()) throw ends_early(path());
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), bytes.size(), bytes.begin());
  }

 private:
  /// Returns what went wrong.
  std::string unpack(gzFile file) {
    constexpr unsigned kBlock = 1 << 20;
    for (std::size_t filled = 0;;) {
      bytes_.resize(filled + kBlock);
      const int got = gzread(file, bytes_.data() + filled, kBlock);
      int code = Z_OK;
      if (got < 0) return gzerror(file, &code);
      filled += static_cast<std::size_t>(got);
      bytes_.resize(filled);
      if (got == 0) return {};
      if (filled > kMaxUnpacked) return "more than 512 MiB; unpack it with gunzip";
    }
  }

  std::vector<std::uint8_t> bytes_;
};

}  // namespace

ByteSourcePtr open_byte_source(const fs::path& path) {
  auto plain = std::make_shared<const FileBytes>(path);
  std::array<std::uint8_t, 2> magic{};
  if (plain->size() >= magic.size()) plain->read(0, magic);
  if (magic == std::array<std::uint8_t, 2>{0x1f, 0x8b}) return std::make_shared<const UnpackedBytes>(path);
  return plain;
}

}  // namespace bramble::engine
