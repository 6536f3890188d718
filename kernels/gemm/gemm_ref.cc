#include "kernels/gemm/gemm.h"

namespace bramble::kernels {

void gemm_f32_ref(std::int64_t rows, std::int64_t cols, std::int64_t depth, const float* a, std::int64_t a_row,
                  std::int64_t a_depth, const float* b, std::int64_t b_row, std::int64_t b_col, float* c,
                  std::int64_t row_stride, bool accumulate, const GemmEpilogue& epilogue) {
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < cols; ++j) {
      const std::int64_t at = i * row_stride + j;
      double sum = accumulate ? c[at] : 0.0;
      for (std::int64_t k = 0; k < depth; ++k) {
        sum += static_cast<double>(a[i * a_row + k * a_depth]) * b[k * b_row + j * b_col];
      }
      if (epilogue.bias) sum += epilogue.bias[j];
      if (epilogue.scale) sum *= epilogue.scale[j];
      if (epilogue.residual) sum += epilogue.residual[at];
      if (epilogue.preactivation) epilogue.preactivation[at] = static_cast<float>(sum);
      sum = activation_ref(epilogue.activation, sum);
      if (epilogue.gelu_input) sum *= activation_gradient_ref(Activation::gelu, epilogue.gelu_input[at]);
      c[at] = static_cast<float>(sum);
    }
  }
}

}  // namespace bramble::kernels
