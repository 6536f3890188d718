// Linear attention of one head with ReLU as its kernel (EfficientViT, Cai et al., 2022), forward and backward. fp32.
//
//   q'[l][d] = max(q[l][d], 0),  k' likewise
//   state[d][e]   = sum over l of k'[l][d] * v[l][e]     for e < dim
//   state[d][dim] = sum over l of k'[l][d];              further columns are zeros
//   weight[l] = eps + sum over d of q'[l][d] * state[d][dim]
//   y[l][e] = (sum over d of q'[l][d] * state[d][e]) / weight[l]
//
// Matrices as in matrix_rows.h, columns of a row contiguous; the state is dense, linear_attention_state_width floats a
// row. The functions allocate nothing and keep no state of their own.
#pragma once

#include <cstdint>

#include "kernels/attention/matrix_rows.h"
#include "kernels/gemm/gemm.h"

namespace bramble::kernels {

struct LinearAttentionShape {
  std::int64_t length = 0;  ///< rows of q, k, v and y
  std::int64_t dim = 0;     ///< columns of them
  float eps = 0;
};

/// Floats of a row of the state; it has `dim` rows.
constexpr std::int64_t linear_attention_state_width(std::int64_t dim) { return round_up(dim + 1, 4); }

/// Floats of scratch, 64-byte aligned for speed.
std::int64_t linear_attention_fwd_scratch_f32(const LinearAttentionShape& shape);

/// y (=), state (=).
void linear_attention_fwd_f32(const LinearAttentionShape& shape, const HeadInputs& inputs, MatrixRows<float> y,
                              float* state, float* scratch);
void linear_attention_fwd_f32_ref(const LinearAttentionShape& shape, const HeadInputs& inputs,
                                  MatrixRows<float> y, float* state);

/// What the forward left, and the gradient that arrived.
struct LinearAttentionSaved {
  MatrixRows<const float> y;
  MatrixRows<const float> dy;
  const float* state = nullptr;
};

std::int64_t linear_attention_bwd_scratch_f32(const LinearAttentionShape& shape);

/// With dout[l][e] = dy[l][e] / weight[l] for e < dim, dout[l][dim] = -(dy[l] . y[l]) / weight[l], and
/// dstate[d][e] = sum over l of q'[l][d] * dout[l][e]:
///   dq[l][d] = q[l][d] > 0 ? sum over e <= dim of dout[l][e] * state[d][e] : 0
///   dk[l][d] = k[l][d] > 0 ? sum over e < dim of v[l][e] * dstate[d][e] + dstate[d][dim] : 0
///   dv[l][e] = sum over d of k'[l][d] * dstate[d][e]
/// Each (=), and none of them what is read.
void linear_attention_bwd_f32(const LinearAttentionShape& shape, const HeadInputs& inputs,
                              const LinearAttentionSaved& saved, const HeadGradients& gradients, float* scratch);
/// Needs neither y nor state of `saved`: recomputes both in double.
void linear_attention_bwd_f32_ref(const LinearAttentionShape& shape, const HeadInputs& inputs,
                                  MatrixRows<const float> dy, const HeadGradients& gradients);

}  // namespace bramble::kernels
