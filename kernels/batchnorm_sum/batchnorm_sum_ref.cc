#include "kernels/batchnorm_sum/batchnorm_sum.h"

namespace bramble::kernels {
namespace {

double preactivation(const BatchnormSum& sum, std::size_t row, std::size_t c) {
  double z = sum.beta[c];
  for (std::size_t t = 0; t < sum.count; ++t) {
    const BatchnormSum::Term& term = sum.terms[t];
    z += (static_cast<double>(term.x[row * sum.channels + c]) - term.mean[c]) * term.scale[c];
  }
  return z;
}

}  // namespace

void batchnorm_sum_fwd_f32_ref(const BatchnormSum& sum, std::size_t row_begin, std::size_t row_end,
                               const float* residual, float* y) {
  for (std::size_t row = row_begin; row < row_end; ++row)
    for (std::size_t c = 0; c < sum.channels; ++c) {
      const std::size_t i = row * sum.channels + c;
      const double z = preactivation(sum, row, c) + (residual ? residual[i] : 0.0f);
      y[i] = static_cast<float>(activation_ref(sum.activation, z));
    }
}

void batchnorm_sum_bwd_data_f32_ref(const BatchnormSum& sum, std::size_t row_begin, std::size_t row_end,
                                    const float* dy, const BatchnormSumGradient* gradients) {
  for (std::size_t row = row_begin; row < row_end; ++row)
    for (std::size_t c = 0; c < sum.channels; ++c) {
      const std::size_t i = row * sum.channels + c;
      const double g = dy[i] * activation_gradient_ref(sum.activation, preactivation(sum, row, c));
      for (std::size_t t = 0; t < sum.count; ++t) {
        const double centred = static_cast<double>(sum.terms[t].x[i]) - sum.terms[t].mean[c];
        if (gradients[t].dx != nullptr)
          gradients[t].dx[i] = static_cast<float>(gradients[t].scale[c] * g + gradients[t].slope[c] * centred +
                                                  gradients[t].constant[c]);
      }
    }
}

}  // namespace bramble::kernels
