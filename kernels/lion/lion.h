// Lion's update (Chen et al., "Symbolic discovery of optimization algorithms", 2023), as timm's Lion does it.
#pragma once

#include <cstddef>

namespace bramble::kernels {

struct LionUpdate {
  float rate;
  float beta1, beta2;
  float weight_decay;
};

/// for (i = begin; i < end; ++i) {
///   g = scale * grad[i];
///   param[i] = (1 - rate * weight_decay) * param[i] - rate * sign(beta1 * mean[i] + (1 - beta1) * g);
///   mean[i] = beta2 * mean[i] + (1 - beta2) * g;
/// }
/// sign(0) = 0; mean is zero before the first step. No aliasing; any alignment (of 4 bytes). No allocation, threads or
/// state.
void lion_update_f32(const LionUpdate& update, float scale, std::size_t begin, std::size_t end, float* param,
                     const float* grad, float* mean);

void lion_update_f32_ref(const LionUpdate& update, float scale, std::size_t begin, std::size_t end, float* param,
                         const float* grad, float* mean);

}  // namespace bramble::kernels
