#include <cmath>

#include "kernels/groupnorm/groupnorm.h"

namespace bramble::kernels {
namespace {

/// Calls visit(element, channel) for all of a group.
template <class Visit>
void for_each_of_group(const GroupnormShape& shape, std::size_t group, Visit visit) {
  const std::size_t width = shape.group_channels();
  for (std::size_t m = 0; m < shape.pixels; ++m)
    for (std::size_t c = group * width; c < (group + 1) * width; ++c) visit(m * shape.channels + c, c);
}

}  // namespace

void groupnorm_fwd_f32_ref(const GroupnormShape& shape, float eps, const float* x, const float* gamma,
                           const float* beta, float* y, float* mean, float* rstd) {
  const double count = static_cast<double>(shape.pixels * shape.group_channels());
  for (std::size_t g = 0; g < shape.groups; ++g) {
    double average = 0, variance = 0;
    for_each_of_group(shape, g, [&](std::size_t i, std::size_t) { average += x[i] / count; });
    for_each_of_group(shape, g, [&](std::size_t i, std::size_t) {
      variance += (x[i] - average) * (x[i] - average) / count;
    });
    const double inverse = 1 / std::sqrt(variance + eps);
    for_each_of_group(shape, g, [&](std::size_t i, std::size_t c) {
      y[i] = static_cast<float>((x[i] - average) * inverse * gamma[c] + beta[c]);
    });
    mean[g] = static_cast<float>(average);
    rstd[g] = static_cast<float>(inverse);
  }
}

void groupnorm_bwd_f32_ref(const GroupnormShape& shape, const float* dy, const float* x, const float* gamma,
                           const float* mean, const float* rstd, float* dx, float* dgamma, float* dbeta) {
  const double count = static_cast<double>(shape.pixels * shape.group_channels());
  for (std::size_t g = 0; g < shape.groups; ++g) {
    const auto normal = [&](std::size_t i) { return (static_cast<double>(x[i]) - mean[g]) * rstd[g]; };
    double sum = 0, products = 0;
    for_each_of_group(shape, g, [&](std::size_t i, std::size_t c) {
      sum += static_cast<double>(dy[i]) * gamma[c] / count;
      products += static_cast<double>(dy[i]) * gamma[c] * normal(i) / count;
    });
    for_each_of_group(shape, g, [&](std::size_t i, std::size_t c) {
      dx[i] = static_cast<float>(rstd[g] * (static_cast<double>(dy[i]) * gamma[c] - sum - normal(i) * products));
    });
    const std::size_t width = shape.group_channels();
    for (std::size_t c = g * width; c < (g + 1) * width; ++c) {
      double gamma_sum = 0, beta_sum = 0;
      for (std::size_t m = 0; m < shape.pixels; ++m) {
        const std::size_t i = m * shape.channels + c;
        gamma_sum += dy[i] * normal(i);
        beta_sum += dy[i];
      }
      dgamma[c] = static_cast<float>(gamma_sum);
      dbeta[c] = static_cast<float>(beta_sum);
    }
  }
}

}  // namespace bramble::kernels
