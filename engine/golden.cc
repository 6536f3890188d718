#include "engine/golden.h"

#include <cmath>
#include <string>

namespace bramble::engine {
namespace {

std::uint64_t fnv1a64(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char letter : text) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3ULL;
  return hash;
}

}  // namespace

GoldenUniform::GoldenUniform(std::string_view name, std::uint64_t seed)
    : state_(fnv1a64(name) + seed * 0xd1342543de82ef95ULL) {}

double GoldenUniform::operator()(std::uint64_t i) const {
  std::uint64_t z = state_ + (i + 1) * 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  z = z ^ (z >> 31);
  return static_cast<double>(z >> 40) / double{1 << 23} - 1.0;
}

std::vector<float> golden_parameter(std::string_view name, const graph::Shape& shape, std::uint64_t seed) {
  const std::int64_t count = graph::element_count(shape);
  double offset = 0.0;
  double scale = 0.1;
  if (shape.size() >= 2) {
    scale = std::sqrt(3.0 / static_cast<double>(count / shape[0]));
  } else if (name.ends_with("weight")) {
    offset = 1.0;
  }
  const GoldenUniform uniform(name, seed);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(offset + scale * uniform(i));
  return values;
}

void golden_images(std::int64_t batch, std::int64_t size, std::uint64_t seed, std::span<float> images) {
  const GoldenUniform uniform("input", seed);
  const std::int64_t plane = size * size;
  std::size_t out = 0;
  for (std::int64_t image = 0; image < batch; ++image) {
    for (std::int64_t pixel = 0; pixel < plane; ++pixel) {
      for (std::int64_t channel = 0; channel < 3; ++channel) {
        images[out++] =
            static_cast<float>(1.7 * uniform(static_cast<std::uint64_t>((image * 3 + channel) * plane + pixel)));
      }
    }
  }
}

void golden_labels(std::int64_t classes, std::span<std::int32_t> labels) {
  for (std::size_t n = 0; n < labels.size(); ++n) {
    labels[n] = static_cast<std::int32_t>((7 * static_cast<std::int64_t>(n) + 3) % classes);
  }
}

Probe golden_probe(std::span<const float> values, std::string_view key, std::uint64_t seed) {
  const GoldenUniform uniform("probe:" + std::string(key), seed);
  const std::size_t half = (values.size() + 1) / 2;
  double squares = 0;
  std::array<double, 2> projections = {0, 0};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = values[i];
    squares += value * value;
    projections[i < half ? 0 : 1] += uniform(i) < 0 ? -value : value;
  }
  return {std::sqrt(squares), projections[0], projections[1]};
}

}  // namespace bramble::engine
