#include "kernels/bias/bias.h"

namespace bramble::kernels {

void bias_fwd_f32_ref(std::size_t begin, std::size_t end, std::size_t size, const float* x, const float* b, float* y) {
  for (std::size_t i = begin; i < end; ++i) y[i] = x[i] + b[i % size];
}

}  // namespace bramble::kernels
