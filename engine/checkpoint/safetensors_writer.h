// Writing safetensors files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace bramble::engine {

struct TensorToWrite {
  std::string name;
  std::string dtype;  ///< as the header names it: "F32", "I64", …
  std::vector<std::int64_t> shape;
  std::function<std::vector<std::byte>()> bytes;  ///< asked for one tensor after another, so that few are in memory
};

/// Floats as F32.
TensorToWrite float_tensor(std::string name, std::vector<std::int64_t> shape,
                           std::function<std::vector<float>()> values);
/// One number or a list, as I64.
TensorToWrite integer_tensor(std::string name, std::vector<std::int64_t> shape, std::vector<std::int64_t> values);

/// Never leaves a half-written file under `path` (write_atomically). The header is padded so that tensors are aligned.
void write_safetensors(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace bramble::engine
