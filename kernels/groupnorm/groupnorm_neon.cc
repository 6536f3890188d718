#include "kernels/groupnorm/groupnorm.h"

#include <algorithm>
#include <cmath>

#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

/// Parts added in the order they lie in: `row` 0 is the first sums, 1 the second.
double sum_parts(const GroupnormShape& shape, std::size_t parts, const double* partials, std::size_t row,
                 std::size_t c) {
  double sum = 0;
  for (std::size_t part = 0; part < parts; ++part) sum += partials[(part * 2 + row) * shape.channels + c];
  return sum;
}

double group_size(const GroupnormShape& shape) {
  return static_cast<double>(shape.pixels) * static_cast<double>(shape.group_channels());
}

template <int Rows>
void data_rows(const GroupnormShape& shape, const float* dy, const float* x, const float* means,
               const GroupnormCoefficients& k, const float* addend, float* dx) {
  for_each_vector(0, shape.channels, [&](auto lanes, std::size_t c) {
    const float32x4_t mean = lanes.load(means + c), scale = lanes.load(k.scale + c);
    const float32x4_t slope = lanes.load(k.slope + c), constant = lanes.load(k.constant + c);
#pragma GCC unroll 4
    for (std::size_t r = 0; r < Rows; ++r) {
      const std::size_t i = r * shape.channels + c;
      float32x4_t value = vfmaq_f32(constant, vsubq_f32(lanes.load(x + i), mean), slope);
      value = vfmaq_f32(value, lanes.load(dy + i), scale);
      if (addend != nullptr) value = vaddq_f32(value, lanes.load(addend + i));
      lanes.store(dx + i, value);
    }
  });
}

}  // namespace

void groupnorm_finalise_f32(const GroupnormShape& shape, std::size_t parts, float eps, const double* partials,
                            const float* gamma, float* mean, float* rstd, float* means, float* scale) {
  const std::size_t width = shape.group_channels();
  for (std::size_t g = 0; g < shape.groups; ++g) {
    double sum = 0, squares = 0;
    for (std::size_t c = g * width; c < (g + 1) * width; ++c) {
      sum += sum_parts(shape, parts, partials, 0, c);
      squares += sum_parts(shape, parts, partials, 1, c);
    }
    const double average = sum / group_size(shape);
    const double variance = std::max(squares / group_size(shape) - average * average, 0.0);
    const double inverse = 1 / std::sqrt(variance + eps);
    mean[g] = static_cast<float>(average);
    rstd[g] = static_cast<float>(inverse);
    for (std::size_t c = g * width; c < (g + 1) * width; ++c) scale[c] = static_cast<float>(gamma[c] * inverse);
  }
  groupnorm_spread_f32(shape, mean, means);
}

void groupnorm_spread_f32(const GroupnormShape& shape, const float* mean, float* means) {
  for (std::size_t g = 0; g < shape.groups; ++g)
    std::fill_n(means + g * shape.group_channels(), shape.group_channels(), mean[g]);
}

void groupnorm_bwd_coefficients_f32(const GroupnormShape& shape, std::size_t parts, const double* partials,
                                    const float* gamma, const float* rstd, float* dgamma, float* dbeta,
                                    const GroupnormCoefficients& coefficients) {
  const std::size_t width = shape.group_channels();
  for (std::size_t g = 0; g < shape.groups; ++g) {
    const double inverse = rstd[g];
    double sum = 0, products = 0;
    for (std::size_t c = g * width; c < (g + 1) * width; ++c) {
      const double own_sum = sum_parts(shape, parts, partials, 0, c);
      const double own_products = sum_parts(shape, parts, partials, 1, c) * inverse;
      dbeta[c] = static_cast<float>(own_sum);
      dgamma[c] = static_cast<float>(own_products);
      sum += gamma[c] * own_sum;
      products += gamma[c] * own_products;
    }
    const float slope = static_cast<float>(-inverse * inverse * products / group_size(shape));
    const float constant = static_cast<float>(-inverse * sum / group_size(shape));
    for (std::size_t c = g * width; c < (g + 1) * width; ++c) {
      coefficients.scale[c] = static_cast<float>(gamma[c] * inverse);
      coefficients.slope[c] = slope;
      coefficients.constant[c] = constant;
    }
  }
}

void groupnorm_bwd_data_f32(const GroupnormShape& shape, std::size_t begin, std::size_t end, const float* dy,
                            const float* x, const float* means, const GroupnormCoefficients& coefficients,
                            const float* addend, float* dx) {
  const auto run = [&]<int Rows>(std::size_t row) {
    const std::size_t first = row * shape.channels;
    data_rows<Rows>(shape, dy + first, x + first, means, coefficients, addend ? addend + first : nullptr, dx + first);
  };
  std::size_t row = begin;
  for (; row + 4 <= end; row += 4) run.template operator()<4>(row);
  for (; row < end; ++row) run.template operator()<1>(row);
}

}  // namespace bramble::kernels
