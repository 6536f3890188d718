// Bytes at a place in a file, packed or not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace bramble::engine {

/// A file's contents. Threads may share it. Errors are FileErrors with the path.
class ByteSource {
 public:
  explicit ByteSource(std::filesystem::path path) : path_(std::move(path)) {}
  virtual ~ByteSource() = default;
  virtual std::uint64_t size() const = 0;
  /// Throws if the file ends before.
  virtual void read(std::uint64_t offset, std::span<std::uint8_t> bytes) const = 0;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

using ByteSourcePtr = std::shared_ptr<const ByteSource>;

/// The file's bytes, read when they are asked for. A gzip file's are unpacked into memory at once: at most 512 MiB
/// (MNIST has 45), beyond which it has to be unpacked on disk. Known as such by its first two bytes.
ByteSourcePtr open_byte_source(const std::filesystem::path& path);

}  // namespace bramble::engine
