#include "kernels/lion/lion.h"

namespace bramble::kernels {

void lion_update_f32_ref(const LionUpdate& update, float scale, std::size_t begin, std::size_t end, float* param,
                         const float* grad, float* mean) {
  const double beta1 = update.beta1;
  const double beta2 = update.beta2;
  const double rate = update.rate;
  for (std::size_t i = begin; i < end; ++i) {
    const double g = static_cast<double>(scale) * grad[i];
    const double direction = beta1 * mean[i] + (1 - beta1) * g;
    const double sign = direction > 0 ? 1 : direction < 0 ? -1 : 0;
    param[i] = static_cast<float>((1 - rate * update.weight_decay) * param[i] - rate * sign);
    mean[i] = static_cast<float>(beta2 * mean[i] + (1 - beta2) * g);
  }
}

}  // namespace bramble::kernels
