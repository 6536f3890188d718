// The deterministic weights, inputs and probes of the golden files, so that a file needs no tensors. The rule is
// written out in golden/README.md; `seed` is the file's.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "graph/tensor.h"

namespace bramble::engine {

/// uniform(name, seed, i) for i = 0, 1, …: 24 random bits each, in [-1, 1).
class GoldenUniform {
 public:
  GoldenUniform(std::string_view name, std::uint64_t seed);
  double operator()(std::uint64_t i) const;

 private:
  std::uint64_t state_;
};

/// A parameter's initial values, in PyTorch's order: variance 1 / fan_in where it has two or more dimensions,
/// 1 + 0.1 u for the weight of a normalisation, 0.1 u for the rest.
std::vector<float> golden_parameter(std::string_view name, const graph::Shape& shape, std::uint64_t seed);

/// The input, transposed from the rule's NCHW to [batch, size, size, 3].
void golden_images(std::int64_t batch, std::int64_t size, std::uint64_t seed, std::span<float> images);

/// (7 n + 3) mod classes.
void golden_labels(std::int64_t classes, std::span<std::int32_t> labels);

/// [norm, projection of the first half, projection of the second half] on random signs.
using Probe = std::array<double, 3>;
Probe golden_probe(std::span<const float> values, std::string_view key, std::uint64_t seed);

}  // namespace bramble::engine
