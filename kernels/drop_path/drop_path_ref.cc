#include "kernels/drop_path/drop_path.h"

namespace bramble::kernels {

void drop_path_f32_ref(float factor, std::size_t begin, std::size_t end, const float* x, const float* addend,
                       float* y) {
  for (std::size_t i = begin; i < end; ++i) {
    const double kept = factor == 0 ? 0.0 : static_cast<double>(factor) * x[i];
    y[i] = static_cast<float>(kept + (addend != nullptr ? addend[i] : 0.0F));
  }
}

}  // namespace bramble::kernels
