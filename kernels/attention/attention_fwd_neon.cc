// Forward: eight queries at a time. Their scores are computed transposed, [keys][8]: a vector then holds four queries,
// so the softmax needs no horizontal operation and no tail, and what it leaves is already the A panel of P V.
#include <algorithm>
#include <cmath>

#include "kernels/activation/activation_neon.h"
#include "kernels/attention/attention.h"
#include "kernels/attention/panels.h"
#include "kernels/gemm/gemm.h"
#include "kernels/simd/neon.h"

namespace bramble::kernels {
namespace {

using attention::kLanes;
using attention::ScratchCursor;

/// scores[j][i] (in: q . k, out: exp(scale * q . k - maximum over j)); sum[i] of what came out, maximum[i].
void exp_panel(std::int64_t keys, float scale, float* scores, float* maximum, float* sum) {
  float32x4_t max0 = vld1q_f32(scores), max1 = vld1q_f32(scores + 4);
  for (std::int64_t j = 1; j < keys; ++j) {
    max0 = vmaxq_f32(max0, vld1q_f32(scores + j * kLanes));
    max1 = vmaxq_f32(max1, vld1q_f32(scores + j * kLanes + 4));
  }
  const float32x4_t factor = vdupq_n_f32(scale);
  max0 = vmulq_f32(max0, factor);
  max1 = vmulq_f32(max1, factor);
  const float32x4_t shift0 = vnegq_f32(max0), shift1 = vnegq_f32(max1);
  float32x4_t sum0 = vdupq_n_f32(0), sum1 = vdupq_n_f32(0);
  for (std::int64_t j = 0; j < keys; ++j) {
    float* row = scores + j * kLanes;
    const float32x4_t e0 = exp_f32x4(vfmaq_f32(shift0, vld1q_f32(row), factor));
    const float32x4_t e1 = exp_f32x4(vfmaq_f32(shift1, vld1q_f32(row + 4), factor));
    sum0 = vaddq_f32(sum0, e0);
    sum1 = vaddq_f32(sum1, e1);
    vst1q_f32(row, e0);
    vst1q_f32(row + 4, e1);
  }
  vst1q_f32(maximum, max0);
  vst1q_f32(maximum + 4, max1);
  vst1q_f32(sum, sum0);
  vst1q_f32(sum + 4, sum1);
}

void scale_row(std::int64_t count, float factor, float* row) {
  std::int64_t d = 0;
  for (; d + 4 <= count; d += 4) vst1q_f32(row + d, vmulq_f32(vld1q_f32(row + d), vdupq_n_f32(factor)));
  for (; d < count; ++d) row[d] *= factor;
}

struct ForwardScratch {
  float* key_panels;    ///< A panels of k
  float* value_panels;  ///< B panels of v
  float* query_panel;   ///< [head_dim][8]
  float* scores;        ///< [keys, rounded up][8]

  ForwardScratch(const AttentionShape& shape, ScratchCursor& cursor)
      : key_panels(cursor.take(gemm_a_elements(shape.keys, shape.head_dim))),
        value_panels(cursor.take(gemm_b_elements(shape.keys, shape.head_dim))),
        query_panel(cursor.take(shape.head_dim * kLanes)),
        scores(cursor.take(round_up(shape.keys, kGemmTileRows) * kLanes)) {}
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
  const std::int64_t dim = shape.head_dim;
  gemm_pack_a_f32(shape.keys, dim, inputs.k.data, inputs.k.stride, s.key_panels);
  gemm_pack_b_f32(shape.keys, dim, inputs.v.data, inputs.v.stride, s.value_panels);
  for (std::int64_t query = query_begin; query < query_end; query += kLanes) {
    const std::int64_t rows = std::min(kLanes, query_end - query);
    attention::score_panel(shape.keys, dim, s.key_panels, inputs.q.row(query), inputs.q.stride, rows, s.query_panel,
                           s.scores);
    float maximum[kLanes], sum[kLanes];
    exp_panel(shape.keys, shape.scale, s.scores, maximum, sum);
    gemm_packed_f32(rows, dim, shape.keys, s.scores, s.value_panels, y.row(query), y.stride, false);
    for (std::int64_t i = 0; i < rows; ++i) {
      scale_row(dim, 1 / sum[i], y.row(query + i));
      lse[query + i] = maximum[i] + std::log(sum[i]);
    }
  }
}

}  // namespace bramble::kernels
