// Cross-covariance attention of one head (XCiT, El-Nouby et al., 2021; EdgeNeXt), forward and backward: channels attend to
// each other, by the cosine of what they hold over all tokens. fp32.
//
//   rq[i] = 1 / max(|q[.][i]|, 1e-12),  rk[j] = 1 / max(|k[.][j]|, 1e-12)      the norms over all tokens
//   cosine[i][j] = rq[i] * rk[j] * sum over l of q[l][i] * k[l][j]
//   p[i] = softmax over j of temperature * cosine[i][j]
//   y[l][i] = sum over j of p[i][j] * v[l][j]
//
// Matrices as in matrix_rows.h, columns of a row contiguous. The functions allocate nothing and keep no state.
#pragma once

#include <cstdint>

#include "kernels/attention/matrix_rows.h"
#include "kernels/gemm/gemm.h"

namespace bramble::kernels {

struct CrossCovarianceShape {
  std::int64_t length = 0;  ///< rows of q, k, v and y
  std::int64_t dim = 0;     ///< columns of them
};

/// Floats of a row of cosines.
constexpr std::int64_t cross_covariance_width(std::int64_t dim) { return round_up(dim, 4); }

/// What the backward needs of the forward.
template <class Value>
struct CrossCovarianceSaved {
  Value* cosines = nullptr;          ///< [dim][width], zeros from column dim on
  Value* inverse_norms_q = nullptr;  ///< rq [dim]
  Value* inverse_norms_k = nullptr;  ///< rk [dim]
};

/// Floats of scratch, 64-byte aligned for speed.
std::int64_t cross_covariance_attention_fwd_scratch_f32(const CrossCovarianceShape& shape);

/// y (=), saved (=).
void cross_covariance_attention_fwd_f32(const CrossCovarianceShape& shape, const HeadInputs& inputs,
                                        float temperature, MatrixRows<float> y,
                                        const CrossCovarianceSaved<float>& saved, float* scratch);
void cross_covariance_attention_fwd_f32_ref(const CrossCovarianceShape& shape, const HeadInputs& inputs,
                                            float temperature, MatrixRows<float> y);

std::int64_t cross_covariance_attention_bwd_scratch_f32(const CrossCovarianceShape& shape);

/// With p from the cosines, dp[i][j] = sum over l of dy[l][i] * v[l][j] and
/// da[i][j] = p[i][j] * (dp[i][j] - sum over j' of p[i][j'] * dp[i][j']):
///   dv[l][j] = sum over i of p[i][j] * dy[l][i]
///   dtemperature = sum over i, j of da[i][j] * cosine[i][j]
///   m[i][j] = temperature * da[i][j] * rq[i] * rk[j]
///   dq[l][i] = sum over j of m[i][j] * k[l][j] - q[l][i] * rq[i]^2 * temperature * sum over j of da[i][j] * cosine[i][j]
///   dk[l][j] = sum over i of m[i][j] * q[l][i] - k[l][j] * rk[j]^2 * temperature * sum over i of da[i][j] * cosine[i][j]
/// Each (=), and none of them what is read. Returns dtemperature.
float cross_covariance_attention_bwd_f32(const CrossCovarianceShape& shape, const HeadInputs& inputs,
                                         float temperature, MatrixRows<const float> dy,
                                         const CrossCovarianceSaved<const float>& saved,
                                         const HeadGradients& gradients, float* scratch);
/// Needs nothing saved: recomputes it in double.
float cross_covariance_attention_bwd_f32_ref(const CrossCovarianceShape& shape, const HeadInputs& inputs,
                                             float temperature, MatrixRows<const float> dy,
                                             const HeadGradients& gradients);

}  // namespace bramble::kernels
