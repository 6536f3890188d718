// Forward: twelve queries at a time. Their scores are computed transposed, [keys][12]: a vector then holds four
// queries, so the softmax needs no horizontal operation and no tail, and what it leaves is the GEMM's B of
// y^T = V^T P^T.
#include <algorithm>
#include <cmath>

#include "kernels/activation/activation_neon.h"
#include "kernels/attention/attention.h"
#include "kernels/attention/panels_neon.h"
#include "kernels/gemm/gemm.h"
#include "kernels/simd/neon.h"

namespace bramble::kernels {
namespace {

using attention::Addends;
using attention::kLanes;
using attention::ScratchCursor;

/// scores[j][i] (in: q . k, out: exp(s - maximum over j)); sum[i] of what came out, maximum[i] of s.
template <int kVectors, int kAddends>
void exp_panel(std::int64_t keys, float scale, const Addends& addends, float* scores, float* maximum, float* sum) {
  const float32x4_t factor = vdupq_n_f32(scale);
  float32x4_t shift[kVectors], total[kVectors];
  // Without addends the scores stay unscaled, as the largest is the same one.
  const auto complete = [&](std::int64_t j, int v) {
    float* at = scores + j * kLanes + 4 * v;
    if constexpr (kAddends == 0) {
      return vld1q_f32(at);
    } else {
      const float32x4_t value = attention::score<kAddends>(vld1q_f32(at), factor, addends, j, v);
      vst1q_f32(at, value);
      return value;
    }
  };
#pragma GCC unroll 3
  for (int v = 0; v < kVectors; ++v) shift[v] = complete(0, v);
  for (std::int64_t j = 1; j < keys; ++j) {
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v) shift[v] = vmaxq_f32(shift[v], complete(j, v));
  }
#pragma GCC unroll 3
  for (int v = 0; v < kVectors; ++v) {
    if constexpr (kAddends == 0) shift[v] = vmulq_f32(shift[v], factor);
    vst1q_f32(maximum + 4 * v, shift[v]);
    shift[v] = vnegq_f32(shift[v]);
    total[v] = vdupq_n_f32(0);
  }
  for (float* row = scores; row < scores + keys * kLanes; row += kLanes) {
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v) {
      const float32x4_t value = vld1q_f32(row + 4 * v);
      const float32x4_t e = exp_f32x4(kAddends == 0 ? vfmaq_f32(shift[v], value, factor) : vaddq_f32(shift[v], value));
      total[v] = vaddq_f32(total[v], e);
      vst1q_f32(row + 4 * v, e);
    }
  }
#pragma GCC unroll 3
  for (int v = 0; v < kVectors; ++v) vst1q_f32(sum + 4 * v, total[v]);
}

struct ForwardScratch {
  float* value_panels;  ///< A panels of v transposed, where it cannot be read as it lies
  float* lane_panel;    ///< B panel of the queries, [key_dim][12]
  float* scores;        ///< [keys][12]
  float* transposed;    ///< [value_dim, rounded up][12]

  ForwardScratch(const AttentionShape& shape, ScratchCursor& cursor)
      : value_panels(cursor.take(gemm_a_elements(shape.value_dim, shape.keys))),
        lane_panel(cursor.take(shape.key_dim * kLanes)),
        scores(cursor.take(shape.keys * kLanes)),
        transposed(cursor.take(round_up(shape.value_dim, kGemmTileRows) * kLanes)) {}
};

}  // namespace

std::int64_t attention_fwd_scratch_f32(const AttentionShape& shape) {
  ScratchCursor cursor(nullptr);
  ForwardScratch(shape, cursor);
  return cursor.floats();
}

void attention_fwd_f32(const AttentionShape& shape, const AttentionInputs& inputs, MatrixRows<float> y, float* lse,
                       std::int64_t query_begin, std::int64_t query_end, float* scratch) {
  ScratchCursor cursor(scratch);
  const ForwardScratch s(shape, cursor);
  const attention::KeyColumns value_columns(shape.keys, shape.value_dim, inputs.v, s.value_panels);
  const MatrixRows<float> scores{s.scores, kLanes};
  for (std::int64_t query = query_begin; query < query_end; query += kLanes) {
    const std::int64_t rows = std::min(kLanes, query_end - query);
    attention::multiply_keys(shape.keys, shape.key_dim, inputs.k, inputs.q, query, rows, s.lane_panel, scores);
    float maximum[kLanes], sum[kLanes];
    const Addends addends(inputs, query);
    attention::dispatch_panel(rows, addends, [&]<int kVectors, int kAddends>() {
      exp_panel<kVectors, kAddends>(shape.keys, shape.scale, addends, s.scores, maximum, sum);
    });
    for (std::int64_t i = 0; i < rows; ++i) {
      lse[query + i] = maximum[i] + std::log(sum[i]);
      sum[i] = 1 / sum[i];
    }
    attention::combine_keys(shape.keys, shape.value_dim, value_columns, scores, sum, y, query, rows, s.transposed);
  }
}

}  // namespace bramble::kernels
