// Softmax attention of one head, forward and backward. fp32.
//
//   for i < queries, j < keys:  s[i][j] = scale * sum over d of q[i][d] * k[j][d] + bias[j][i] + mask[j][i]
//   lse[i]  = log(sum over j of exp(s[i][j]))
//   p[i][j] = exp(s[i][j] - lse[i])                      every row of p sums to one
//   y[i][d] = sum over j of p[i][j] * v[j][d]
//
// Matrices are given by their first row and the distance of rows in elements, so that heads lie anywhere: in a qkv
// tensor [L, 3, heads, head_dim], in a window, in another sequence. Columns of a row are contiguous. Aligned to 4 bytes
// only. Scores exist for a few queries at a time, in scratch. The functions allocate nothing and keep no state.
#pragma once

#include <cstdint>

namespace bramble::kernels {

struct AttentionShape {
  std::int64_t queries = 0;
  std::int64_t keys = 0;       ///< at least 1
  std::int64_t key_dim = 0;    ///< columns of q and k
  std::int64_t value_dim = 0;  ///< columns of v and y
  float scale = 1;             ///< above 0
};

template <class Value>
struct MatrixRows {
  Value* data = nullptr;
  std::int64_t stride = 0;

  Value* row(std::int64_t i) const { return data + i * stride; }
};

struct AttentionInputs {
  MatrixRows<const float> q;  ///< [queries][key_dim]
  MatrixRows<const float> k;  ///< [keys][key_dim]
  MatrixRows<const float> v;  ///< [keys][value_dim]
  // Each [keys][queries, rounded up to 4: finite beyond], as the kernel's vectors hold the scores; or null.
  MatrixRows<const float> bias{};
  MatrixRows<const float> mask{};
};

/// Floats of scratch, 64-byte aligned for speed.
std::int64_t attention_fwd_scratch_f32(const AttentionShape& shape);

/// y (=) and lse (=), lse[i] contiguous, for queries [query_begin, query_end). Each query's result is the same bits
/// whatever the range.
void attention_fwd_f32(const AttentionShape& shape, const AttentionInputs& inputs, MatrixRows<float> y, float* lse,
                       std::int64_t query_begin, std::int64_t query_end, float* scratch);
void attention_fwd_f32_ref(const AttentionShape& shape, const AttentionInputs& inputs, MatrixRows<float> y, float* lse);

/// What the forward saved, and the gradient that arrived.
struct AttentionSaved {
  MatrixRows<const float> y;
  MatrixRows<const float> dy;
  const float* lse = nullptr;
};

/// Each (=), and none of them what is read.
struct AttentionGradients {
  MatrixRows<float> dq;
  MatrixRows<float> dk;
  MatrixRows<float> dv;
  MatrixRows<float> dbias{};  ///< (+=), as the bias, the rounding up too; null where it is not wanted
};

std::int64_t attention_bwd_scratch_f32(const AttentionShape& shape);

/// With p recomputed from lse, and delta[i] = sum over d of dy[i][d] * y[i][d]:
///   dv[j] = sum over i of p[i][j] * dy[i]
///   ds[i][j] = p[i][j] * (dy[i] . v[j] - delta[i]),   dbias[j][i] += ds[i][j]
///   dq[i] = scale * sum over j of ds[i][j] * k[j],   dk[j] = scale * sum over i of ds[i][j] * q[i]
void attention_bwd_f32(const AttentionShape& shape, const AttentionInputs& inputs, const AttentionSaved& saved,
                       const AttentionGradients& gradients, float* scratch);
/// Needs neither y nor lse of `saved`: recomputes both in double.
void attention_bwd_f32_ref(const AttentionShape& shape, const AttentionInputs& inputs, MatrixRows<const float> dy,
                           const AttentionGradients& gradients);

}  // namespace bramble::kernels
