#include "tools/inspect_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "engine/checkpoint/float_formats.h"
#include "engine/checkpoint/safetensors.h"

namespace bramble::tools {
namespace {

struct Statistics {
  double mean = 0;
  double deviation = 0;
  std::size_t not_finite = 0;
};

Statistics statistics_of(const std::vector<float>& values) {
  Statistics result;
  double sum = 0;
  double squares = 0;
  for (const float value : values) {
    if (!std::isfinite(value)) {
      ++result.not_finite;
      continue;
    }
    sum += value;
    squares += static_cast<double>(value) * value;
  }
  const auto finite = static_cast<double>(std::max<std::size_t>(1, values.size() - result.not_finite));
  result.mean = sum / finite;
  result.deviation = std::sqrt(std::max(0.0, squares / finite - result.mean * result.mean));
  return result;
}

std::string describe(const engine::StoredTensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
  if (!engine::to_floats(tensor.dtype, tensor.bytes, values)) return "";
  const Statistics statistics = statistics_of(values);
  std::string text = fmt::format("{:>12.5g} {:>11.5g}", statistics.mean, statistics.deviation);
  if (statistics.not_finite > 0) text += fmt::format("  {} not finite", statistics.not_finite);
  return text;
}

void print_row(const std::string& name, std::size_t width, const std::string& dtype, const std::string& shape,
               const std::string& values) {
  std::string line = fmt::format("{:<{}}  {:<5} {:<20} {}", name, width, dtype, shape, values);
  line.erase(line.find_last_not_of(' ') + 1);
  fmt::print("{}\n", line);
}

}  // namespace

int inspect_checkpoint(const std::filesystem::path& path) {
  const engine::SafetensorsFile file(path);
  std::size_t width = 6;
  std::int64_t elements = 0;
  std::size_t bytes = 0;
  for (const engine::StoredTensor& tensor : file.tensors()) {
    width = std::max(width, tensor.name.size());
    elements += tensor.elements();
    bytes += tensor.bytes.size();
  }
  for (const auto& [key, value] : file.metadata()) fmt::print("{}: {}\n", key, value);
  print_row("tensor", width, "dtype", "shape", fmt::format("{:>12} {:>11}", "mean", "deviation"));
  for (const engine::StoredTensor& tensor : file.tensors())
    print_row(tensor.name, width, tensor.dtype, fmt::format("[{}]", fmt::join(tensor.shape, ", ")), describe(tensor));
  fmt::print("{} tensors, {} values, {} bytes\n", file.tensors().size(), elements, bytes);
  return 0;
}

}  // namespace bramble::tools
