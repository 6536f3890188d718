#include "kernels/blend/blend.h"

namespace bramble::kernels {

void blend_f32_ref(float keep, float share, std::size_t begin, std::size_t end, float* y, const float* x) {
  for (std::size_t i = begin; i < end; ++i) {
    const double added = static_cast<double>(share) * x[i];
    y[i] = static_cast<float>(keep == 0 ? added : added + static_cast<double>(keep) * y[i]);
  }
}

}  // namespace bramble::kernels
