#include "engine/checkpoint/safetensors_writer.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "engine/checkpoint/float_formats.h"
#include "engine/checkpoint/safetensors.h"
#include "engine/data/file.h"

namespace bramble::engine {
namespace {

constexpr std::size_t kAlignment = 64;  // a cache line; the format asks for 8

std::size_t bytes_of(const TensorToWrite& tensor) {
  std::size_t bytes = safetensors_dtype_bytes(tensor.dtype);
  for (const std::int64_t extent : tensor.shape) bytes *= static_cast<std::size_t>(extent);
  return bytes;
}

/// The length and the JSON, together a multiple of kAlignment.
std::string make_header(const std::vector<TensorToWrite>& tensors, const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t offset = 0;
  for (const TensorToWrite& tensor : tensors) {
    const std::size_t end = offset + bytes_of(tensor);
    header[tensor.name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string json = header.dump();
  json.append((kAlignment - (sizeof(std::uint64_t) + json.size()) % kAlignment) % kAlignment, ' ');
  const std::uint64_t length = json.size();
  std::string text(sizeof length, '\0');
  std::memcpy(text.data(), &length, sizeof length);
  return text + json;
}

}  // namespace

TensorToWrite float_tensor(std::string name, std::vector<std::int64_t> shape,
                           std::function<std::vector<float>()> values) {
  return {std::move(name), "F32", std::move(shape),
          [values = std::move(values)] { return from_floats("F32", values()); }};
}

TensorToWrite integer_tensor(std::string name, std::vector<std::int64_t> shape, std::vector<std::int64_t> values) {
  return {std::move(name), "I64", std::move(shape), [values = std::move(values)] {
            const auto bytes = std::as_bytes(std::span(values));
            return std::vector<std::byte>(bytes.begin(), bytes.end());
          }};
}

void write_safetensors(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  write_atomically(path, [&](const FileSink& sink) {
    sink(make_header(tensors, metadata));
    for (const TensorToWrite& tensor : tensors) {
      const std::vector<std::byte> bytes = tensor.bytes();
      if (bytes.size() != bytes_of(tensor)) throw std::logic_error("'" + tensor.name + "' has bytes unlike its shape");
      sink({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
  });
}

}  // namespace bramble::engine
