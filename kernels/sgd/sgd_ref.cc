#include "kernels/sgd/sgd.h"

namespace bramble::kernels {

void sgd_update_f32_ref(const SgdUpdate& update, float scale, std::size_t begin, std::size_t end, float* param,
                        const float* grad, float* buffer) {
  const double momentum = update.momentum;
  for (std::size_t i = begin; i < end; ++i) {
    double g = static_cast<double>(scale) * grad[i] + static_cast<double>(update.weight_decay) * param[i];
    if (buffer != nullptr) {
      const double moving = momentum * buffer[i] + g;
      buffer[i] = static_cast<float>(moving);
      g = update.nesterov ? g + momentum * moving : moving;
    }
    param[i] = static_cast<float>(param[i] - update.rate * g);
  }
}

}  // namespace bramble::kernels
