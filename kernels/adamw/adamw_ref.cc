#include <cmath>

#include "kernels/adamw/adamw.h"

namespace bramble::kernels {

void adamw_update_f32_ref(const AdamwUpdate& update, float scale, std::size_t begin, std::size_t end, float* param,
                          const float* grad, float* mean, float* variance) {
  const double beta1 = update.beta1;
  const double beta2 = update.beta2;
  const double rate = update.rate;
  for (std::size_t i = begin; i < end; ++i) {
    const double g = static_cast<double>(scale) * grad[i];
    const double m = beta1 * mean[i] + (1 - beta1) * g;
    const double v = beta2 * variance[i] + (1 - beta2) * g * g;
    const double denominator = std::sqrt(v / update.variance_correction) + update.eps;
    param[i] = static_cast<float>((1 - rate * update.weight_decay) * param[i] -
                                  rate / update.mean_correction * m / denominator);
    mean[i] = static_cast<float>(m);
    variance[i] = static_cast<float>(v);
  }
}

}  // namespace bramble::kernels
