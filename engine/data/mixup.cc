#include "engine/data/mixup.h"

#include <algorithm>
#include <cmath>

namespace bramble::engine {
namespace {

/// The logarithm of a number from Gamma(shape, 1): for small shapes the number itself may be too small to be one.
/// Marsaglia and Tsang's method; below 1 through shape + 1.
double log_gamma_number(double shape, DataRandom& random) {
  if (shape < 1) {
    const double log_uniform = std::log(1 - random.uniform(0, 1));
    return log_gamma_number(shape + 1, random) + log_uniform / shape;
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = random.normal();
    const double v = std::pow(1 + c * x, 3);
    if (v <= 0) continue;
    const double log_uniform = std::log(1 - random.uniform(0, 1));
    if (log_uniform < 0.5 * x * x + d - d * v + d * std::log(v)) return std::log(d * v);
  }
}

}  // namespace

float mixup_share(double alpha, DataRandom& random) {
  const double a = log_gamma_number(alpha, random);
  const double b = log_gamma_number(alpha, random);
  return static_cast<float>(1 / (1 + std::exp(-std::abs(a - b))));
}

void mix_with_reversed(float share, std::span<float> images, std::span<const std::int32_t> labels,
                       std::span<std::int32_t> other_labels, std::span<float> shares) {
  const std::size_t batch = labels.size();
  const std::size_t values = images.size() / batch;
  for (std::size_t first = 0; first < batch / 2; ++first) {
    float* a = &images[first * values];
    float* b = &images[(batch - 1 - first) * values];
    for (std::size_t i = 0; i < values; ++i) {
      const float mixed = share * a[i] + (1 - share) * b[i];
      b[i] = share * b[i] + (1 - share) * a[i];
      a[i] = mixed;
    }
  }
  std::reverse_copy(labels.begin(), labels.end(), other_labels.begin());
  std::ranges::fill(shares, share);
}

}  // namespace bramble::engine
