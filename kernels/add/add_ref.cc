#include "kernels/add/add.h"

namespace bramble::kernels {

void add_fwd_f32_ref(Activation activation, std::size_t begin, std::size_t end, const float* a, const float* b,
                     float* y) {
  for (std::size_t i = begin; i < end; ++i) y[i] = static_cast<float>(activation_ref(activation, a[i] + b[i]));
}

}  // namespace bramble::kernels
