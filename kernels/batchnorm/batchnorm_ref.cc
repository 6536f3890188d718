#include <cmath>

#include "kernels/batchnorm/batchnorm.h"

namespace bramble::kernels {

void batchnorm_fwd_f32_ref(Activation activation, std::size_t rows, std::size_t channels, float eps, float momentum,
                           const float* x, const float* gamma, const float* beta, const float* residual,
                           float* running_mean, float* running_var, float* y, float* mean, float* rstd) {
  const double count = static_cast<double>(rows);
  for (std::size_t c = 0; c < channels; ++c) {
    double average = 0;
    for (std::size_t r = 0; r < rows; ++r) average += x[r * channels + c] / count;
    double variance = 0;
    for (std::size_t r = 0; r < rows; ++r) variance += std::pow(x[r * channels + c] - average, 2) / count;
    const double inverse = 1 / std::sqrt(variance + eps);
    for (std::size_t r = 0; r < rows; ++r) {
      const std::size_t i = r * channels + c;
      const double normal = (x[i] - average) * inverse * gamma[c] + beta[c];
      y[i] = static_cast<float>(activation_ref(activation, normal + (residual != nullptr ? residual[i] : 0)));
    }
    mean[c] = static_cast<float>(average);
    rstd[c] = static_cast<float>(inverse);
    running_mean[c] = static_cast<float>((1.0 - momentum) * running_mean[c] + momentum * average);
    running_var[c] = static_cast<float>((1.0 - momentum) * running_var[c] + momentum * variance * count / (count - 1));
  }
}

void batchnorm_bwd_f32_ref(const BatchnormBackward& operands, std::size_t rows, bool training, const float* gamma,
                           const float* beta, const float* rstd, float* dx, float* dgamma, float* dbeta,
                           float* dresidual) {
  const std::size_t channels = operands.channels;
  const double count = static_cast<double>(rows);
  for (std::size_t c = 0; c < channels; ++c) {
    const double mean = operands.affine.mean[c];
    const auto normal = [&](std::size_t i) { return (operands.x[i] - mean) * rstd[c]; };
    const auto g = [&](std::size_t i) {
      const float* const dy = operands.dy + i / channels * operands.dy_stride + c;
      if (operands.y == nullptr)
        return *dy * activation_gradient_ref(operands.activation, normal(i) * gamma[c] + beta[c]);
      float gradient;
      activation_bwd_f32_ref(operands.activation, 0, 1, dy, operands.y + i, &gradient);
      return static_cast<double>(gradient);
    };
    double sum = 0;
    double products = 0;
    for (std::size_t i = c; i < rows * channels; i += channels) {
      sum += g(i);
      products += g(i) * normal(i);
    }
    for (std::size_t i = c; i < rows * channels; i += channels) {
      const double centred = training ? g(i) - sum / count - normal(i) * products / count : g(i);
      const double gradient = g(i);
      if (dresidual != nullptr) dresidual[i] = static_cast<float>(gradient);
      dx[i] = static_cast<float>(gamma[c] * rstd[c] * centred);
    }
    dgamma[c] = static_cast<float>(products);
    dbeta[c] = static_cast<float>(sum);
  }
}

}  // namespace bramble::kernels
