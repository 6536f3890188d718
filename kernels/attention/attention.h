// Softmax attention of one head, forward and backward. fp32.
//
//   for i < queries, j < keys:  s[i][j] = scale * sum over d of q[i][d] * k[j][d] + bias[j][i] + mask[j][i]
//   lse[i]  = log2(sum over j of exp(s[i][j]))           in base 2, as the exponentials are computed
//   p[i][j] = exp(s[i][j] - lse[i] * ln 2)               every row of p sums to one
//   y[i][d] = sum over j of p[i][j] * v[j][d]
//
// Matrices are given by where each of their rows lies, so that heads are read and written in place: in a qkv tensor
// [L, 3, heads, head_dim], in a window's rows of an image. Columns of a row are contiguous. Aligned to 4 bytes only.
// Dimensions that are no multiple of 4 are padded in scratch, at some cost. Scores exist for a block of queries at a
// time, in scratch. The functions allocate nothing and keep no state.
#pragma once

#include <cstdint>

#include "kernels/attention/matrix_rows.h"

namespace bramble::kernels {

struct AttentionShape {
  std::int64_t queries = 0;
  std::int64_t keys = 0;       ///< at least 1
  std::int64_t key_dim = 0;    ///< columns of q and k
  std::int64_t value_dim = 0;  ///< columns of v and y
  float scale = 1;             ///< above 0
};

/// Row i is at data + offsets[i].
template <class Value>
struct ListedRows {
  Value* data = nullptr;
  const std::int64_t* offsets = nullptr;

  Value* row(std::int64_t i) const { return data + offsets[i]; }
};

struct AttentionInputs {
  ListedRows<const float> q;  ///< [queries][key_dim]
  ListedRows<const float> k;  ///< [keys][key_dim]
  ListedRows<const float> v;  ///< [keys][value_dim]
  // Each [keys][queries, rounded up to 4: finite beyond], as the kernel's vectors hold the scores; or null.
  MatrixRows<const float> bias{};
  MatrixRows<const float> mask{};
};

/// Floats of scratch, aligned to 8 bytes; to 64 for speed.
std::int64_t attention_fwd_scratch_f32(const AttentionShape& shape);

/// y (=) and lse (=), lse[i] contiguous, for queries [query_begin, query_end). Each query's result is the same bits
/// whatever the range.
void attention_fwd_f32(const AttentionShape& shape, const AttentionInputs& inputs, ListedRows<float> y, float* lse,
                       std::int64_t query_begin, std::int64_t query_end, float* scratch);
void attention_fwd_f32_ref(const AttentionShape& shape, const AttentionInputs& inputs, ListedRows<float> y, float* lse);

/// What the forward saved, and the gradient that arrived.
struct AttentionSaved {
  ListedRows<const float> y;
  ListedRows<const float> dy;
  const float* lse = nullptr;
};

/// Each (=), and none of them what is read; null where it is not wanted.
struct AttentionGradients {
  ListedRows<float> dq;
  ListedRows<float> dk;
  ListedRows<float> dv;
  MatrixRows<float> dbias{};  ///< (+=), as the bias, the rounding up too
};

std::int64_t attention_bwd_scratch_f32(const AttentionShape& shape);

/// With p recomputed from lse, and delta[i] = sum over d of dy[i][d] * y[i][d]:
///   dv[j] = sum over i of p[i][j] * dy[i]
///   ds[i][j] = p[i][j] * (dy[i] . v[j] - delta[i]),   dbias[j][i] += ds[i][j]
///   dq[i] = scale * sum over j of ds[i][j] * k[j],   dk[j] = scale * sum over i of ds[i][j] * q[i]
void attention_bwd_f32(const AttentionShape& shape, const AttentionInputs& inputs, const AttentionSaved& saved,
                       const AttentionGradients& gradients, float* scratch);
/// Needs neither y nor lse of `saved`: recomputes both in double.
void attention_bwd_f32_ref(const AttentionShape& shape, const AttentionInputs& inputs, ListedRows<const float> dy,
                           const AttentionGradients& gradients);

}  // namespace bramble::kernels
