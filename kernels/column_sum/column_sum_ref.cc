#include "kernels/column_sum/column_sum.h"

namespace bramble::kernels {

void column_sum_f32_ref(std::size_t row_begin, std::size_t row_end, std::size_t column_begin, std::size_t column_end,
                        std::size_t row_stride, const float* x, float* sum) {
  for (std::size_t c = column_begin; c < column_end; ++c) {
    double total = 0;
    for (std::size_t r = row_begin; r < row_end; ++r) total += x[r * row_stride + c];
    sum[c] = static_cast<float>(total);
  }
}

}  // namespace bramble::kernels
