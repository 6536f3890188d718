// Stochastic gradient descent's update, as torch.optim.SGD does it.
#pragma once

#include <cstddef>

namespace bramble::kernels {

struct SgdUpdate {
  float rate;
  float momentum;
  float weight_decay;
  bool nesterov;
};

/// for (i = begin; i < end; ++i) {
///   g = scale * grad[i] + weight_decay * param[i];
///   if (buffer) { buffer[i] = momentum * buffer[i] + g; g = nesterov ? g + momentum * buffer[i] : buffer[i]; }
///   param[i] -= rate * g;
/// }
/// buffer is nullptr without momentum, and zero before the first step (PyTorch's first buffer is g itself).
/// No aliasing; any alignment (of 4 bytes). No allocation, threads or state.
void sgd_update_f32(const SgdUpdate& update, float scale, std::size_t begin, std::size_t end, float* param,
                    const float* grad, float* buffer);

void sgd_update_f32_ref(const SgdUpdate& update, float scale, std::size_t begin, std::size_t end, float* param,
                        const float* grad, float* buffer);

}  // namespace bramble::kernels
