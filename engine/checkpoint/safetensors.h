// Reading safetensors files (github.com/huggingface/safetensors): a length, a JSON header, the tensors' bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bramble::engine {

/// A dtype by the header's name for it; 0 bytes for a name that the format does not have.
std::size_t safetensors_dtype_bytes(std::string_view dtype);

struct StoredTensor {
  std::string name;
  std::string dtype;  ///< "F32", "BF16", "I64", …
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;  ///< row-major, little-endian, of any alignment; valid as long as the file is open

  std::int64_t elements() const;
};

/// An open file, mapped into memory. Every field of the header is checked when it is opened: what find() returns lies
/// inside the file, has as many bytes as its shape says, and overlaps no other tensor.
class SafetensorsFile {
 public:
  /// Throws FileError: "PATH: not a safetensors file: REASON".
  explicit SafetensorsFile(const std::filesystem::path& path);
  ~SafetensorsFile();
  SafetensorsFile(SafetensorsFile&& other) noexcept;
  SafetensorsFile& operator=(SafetensorsFile&&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// In the order of their bytes.
  const std::vector<StoredTensor>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// nullptr if there is none.
  const StoredTensor* find(std::string_view name) const;
  /// As floats, whatever floating-point type they are stored in. Throws FileError for integers.
  std::vector<float> floats(const StoredTensor& tensor) const;
  /// Throws FileError unless the tensor is a list of I64.
  std::vector<std::int64_t> integers(const StoredTensor& tensor) const;

 private:
  void parse(std::span<const std::byte> file);

  std::filesystem::path path_;
  void* mapping_ = nullptr;
  std::size_t mapped_ = 0;
  std::vector<StoredTensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> index_;  ///< into tensors_
  std::map<std::string, std::string> metadata_;
};

}  // namespace bramble::engine
