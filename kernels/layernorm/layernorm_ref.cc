#include <cmath>
#include <vector>

#include "kernels/layernorm/layernorm.h"

namespace bramble::kernels {

void layernorm_fwd_f32_ref(const LayernormForward& operands, std::size_t row_begin, std::size_t row_end) {
  const std::size_t channels = operands.channels;
  const double count = static_cast<double>(channels);
  for (std::size_t r = row_begin; r < row_end; ++r) {
    std::vector<double> s(channels);
    double mean = 0;
    for (std::size_t c = 0; c < channels; ++c) {
      const std::size_t i = r * channels + c;
      s[c] = operands.residual != nullptr ? operands.x[i] + operands.residual[i] : operands.x[i];
      mean += s[c] / count;
    }
    double variance = 0;
    for (const double value : s) variance += (value - mean) * (value - mean) / count;
    const double rstd = 1 / std::sqrt(variance + operands.eps);
    for (std::size_t c = 0; c < channels; ++c) {
      const std::size_t i = r * channels + c;
      if (operands.s != nullptr) operands.s[i] = static_cast<float>(s[c]);
      const double normal = (s[c] - mean) * rstd;
      operands.y[r * operands.y_step() + c] = static_cast<float>(normal * operands.gamma[c] + operands.beta[c]);
    }
    if (operands.mean != nullptr) operands.mean[r] = static_cast<float>(mean);
    if (operands.rstd != nullptr) operands.rstd[r] = static_cast<float>(rstd);
  }
}

void layernorm_bwd_f32_ref(const LayernormBackward& operands, std::size_t row_begin, std::size_t row_end,
                           float* dgamma, float* dbeta) {
  const std::size_t channels = operands.channels;
  std::vector<double> gamma_sum(channels), beta_sum(channels);
  for (std::size_t r = row_begin; r < row_end; ++r) {
    const auto index = [&](std::size_t c) { return r * channels + c; };
    const auto normal = [&](std::size_t c) {
      return (operands.s[index(c)] - static_cast<double>(operands.mean[r])) * operands.rstd[r];
    };
    const auto g = [&](std::size_t c) { return static_cast<double>(operands.dy[index(c)]) * operands.gamma[c]; };
    double sum = 0;
    double products = 0;
    for (std::size_t c = 0; c < channels; ++c) {
      sum += g(c) / static_cast<double>(channels);
      products += g(c) * normal(c) / static_cast<double>(channels);
      gamma_sum[c] += operands.dy[index(c)] * normal(c);
      beta_sum[c] += operands.dy[index(c)];
    }
    if (operands.dx == nullptr) continue;
    for (std::size_t c = 0; c < channels; ++c) {
      const double through = operands.rstd[r] * (g(c) - sum - normal(c) * products);
      operands.dx[index(c)] = static_cast<float>(through + (operands.ds != nullptr ? operands.ds[index(c)] : 0));
    }
  }
  if (dgamma == nullptr) return;
  for (std::size_t c = 0; c < channels; ++c) {
    dgamma[c] = static_cast<float>(gamma_sum[c]);
    dbeta[c] = static_cast<float>(beta_sum[c]);
  }
}

}  // namespace bramble::kernels
