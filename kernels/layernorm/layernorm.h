// Layer normalisation over the last dimension of x[R][C], dense rows unless said otherwise, any C and alignment (of 4
// bytes). A slice is a range of rows; matrices are given by their first row, not the slice's. No allocation, threads or
// state.
#pragma once

#include <cstddef>

namespace bramble::kernels {

/// Operands of the forward. residual, s, mean and rstd may be nullptr (s only together with residual).
struct LayernormForward {
  std::size_t channels;  ///< C
  float eps;
  const float* x;         ///< [R][C]
  const float* residual;  ///< [R][C]
  const float* gamma;     ///< [C]
  const float* beta;      ///< [C]
  float* s;               ///< [R][C]; may be x or residual
  float* y;               ///< [R][C], rows y_stride apart; may be x, residual (if dense), but not s
  float* mean;            ///< [R]
  float* rstd;            ///< [R]
  std::size_t y_stride = 0;  ///< elements, 0: C

  std::size_t y_step() const { return y_stride > 0 ? y_stride : channels; }
};

/// for (r = row_begin; r < row_end; ++r) {
///   s[r] = x[r] + residual[r];                        // s = x without a residual
///   mean[r] = sum_c s[r][c] / C;  var = sum_c (s[r][c] - mean[r])^2 / C;  rstd[r] = 1 / sqrt(var + eps);
///   y[r][c] = (s[r][c] - mean[r]) * rstd[r] * gamma[c] + beta[c];
/// }
void layernorm_fwd_f32(const LayernormForward& operands, std::size_t row_begin, std::size_t row_end);

/// Operands of the backward. ds and dx may be nullptr.
struct LayernormBackward {
  std::size_t channels;
  const float* dy;     ///< [R][C]
  const float* s;      ///< [R][C], what was normalised
  const float* gamma;  ///< [C]
  const float* mean;   ///< [R]
  const float* rstd;   ///< [R]
  const float* ds;     ///< [R][C], the gradient that reaches s itself
  float* dx;           ///< [R][C]; may be dy, s or ds
};

/// With xhat = (s - mean) * rstd and g = dy * gamma:
///   dx[r][c] (=) rstd[r] * (g[r][c] - sum_c g / C - xhat[r][c] * sum_c (g * xhat) / C) + ds[r][c];
///   dgamma[c] (=) sum_r dy[r][c] * xhat[r][c]; dbeta[c] (=) sum_r dy[r][c], over this slice's rows (both or neither
///   may be nullptr). Sums over rows are floats: keep a slice to some hundred rows and add slices with column_sum_f32.
void layernorm_bwd_f32(const LayernormBackward& operands, std::size_t row_begin, std::size_t row_end, float* dgamma,
                       float* dbeta);

void layernorm_fwd_f32_ref(const LayernormForward& operands, std::size_t row_begin, std::size_t row_end);
void layernorm_bwd_f32_ref(const LayernormBackward& operands, std::size_t row_begin, std::size_t row_end,
                           float* dgamma, float* dbeta);

}  // namespace bramble::kernels
