// Adam's update with decoupled weight decay, as torch.optim.AdamW does it.
#pragma once

#include <cstddef>

namespace bramble::kernels {

struct AdamwUpdate {
  float rate;
  float beta1, beta2;
  float eps;
  float weight_decay;
  float mean_correction;      ///< 1 - beta1^t, t counting updates from 1
  float variance_correction;  ///< 1 - beta2^t
};

/// for (i = begin; i < end; ++i) {
///   g = scale * grad[i];
///   mean[i] = beta1 * mean[i] + (1 - beta1) * g;
///   variance[i] = beta2 * variance[i] + (1 - beta2) * g * g;
///   param[i] = (1 - rate * weight_decay) * param[i]
///              - rate / mean_correction * mean[i] / (sqrt(variance[i] / variance_correction) + eps);
/// }
/// mean and variance are zero before the first step. No aliasing; any alignment (of 4 bytes). No allocation, threads or
/// state.
void adamw_update_f32(const AdamwUpdate& update, float scale, std::size_t begin, std::size_t end, float* param,
                      const float* grad, float* mean, float* variance);

void adamw_update_f32_ref(const AdamwUpdate& update, float scale, std::size_t begin, std::size_t end, float* param,
                          const float* grad, float* mean, float* variance);

}  // namespace bramble::kernels
