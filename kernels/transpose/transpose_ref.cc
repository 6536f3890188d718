#include "kernels/transpose/transpose.h"

namespace bramble::kernels {

void transpose_fwd_f32_ref(const TransposeShape& shape, const float* x, const float* addend, float* y) {
  for (std::size_t j = 0; j < shape.cols; ++j)
    for (std::size_t i = 0; i < shape.rows; ++i)
      y[j * shape.rows + i] = x[i * shape.cols + j] + (addend != nullptr ? addend[j * shape.rows + i] : 0);
}

}  // namespace bramble::kernels
