// Forward: a block of queries at a time. Their scores are computed transposed, [keys][queries]: a vector then holds
// four queries, so the softmax needs no horizontal operation and no tail.
#include <algorithm>
#include <numbers>

#include "kernels/activation/functions_neon.h"
#include "kernels/attention/attention.h"
#include "kernels/attention/products.h"
#include "kernels/attention/scratch.h"
#include "kernels/simd/neon.h"

namespace bramble::kernels {
namespace {

using attention::ScratchCursor;

constexpr float kLog2E = std::numbers::log2e_v<float>;

/// A block's scores take half of L1 at most, where keys and values pass by once for each block.
std::int64_t vectors_of_block(const AttentionShape& shape) {
  constexpr std::int64_t kScoreVectors = 2048;
  return attention::vectors_of_block(shape.queries, std::max<std::int64_t>(3, kScoreVectors / shape.keys));
}

/// exp_columns for some rows.
template <int kRows, int kVectors>
inline __attribute__((always_inline)) void exp_rows(float* row, std::int64_t stride, const float (*shift)[4],
                                                    float32x4_t log2_e, float32x4_t (&total)[kVectors]) {
  float32x4_t values[kRows * kVectors];
#pragma GCC unroll 4
  for (int i = 0; i < kRows * kVectors; ++i) {
    const float32x4_t score = vld1q_f32(row + i / kVectors * stride + 4 * (i % kVectors));
    values[i] = vfmaq_f32(loaded_f32(shift[i % kVectors]), score, log2_e);
  }
  exp2_f32(values);
#pragma GCC unroll 4
  for (int i = 0; i < kRows * kVectors; ++i) {
    total[i % kVectors] = vaddq_f32(total[i % kVectors], values[i]);
    vst1q_f32(row + i / kVectors * stride + 4 * (i % kVectors), values[i]);
  }
}

/// Rows of scores, shift[i] = -max over j of s[i][j] * log2(e): s becomes exp(s - max), whose sums over j are `sum`.
template <int kVectors>
void exp_columns(std::int64_t keys, const MatrixRows<float>& scores, const float (*shift)[4], float (*sum)[4]) {
  constexpr int kRows = attention::rows_of_turn(kVectors);
  const float32x4_t log2_e = vdupq_n_f32(kLog2E);
  float32x4_t total[kVectors];
#pragma GCC unroll 3
  for (int v = 0; v < kVectors; ++v) total[v] = vdupq_n_f32(0);
  float* row = scores.data;
  std::int64_t j = 0;
  for (; j + kRows <= keys; j += kRows, row += kRows * scores.stride)
    exp_rows<kRows>(row, scores.stride, shift, log2_e, total);
  for (; j < keys; ++j, row += scores.stride) exp_rows<1>(row, scores.stride, shift, log2_e, total);
#pragma GCC unroll 3
  for (int v = 0; v < kVectors; ++v) vst1q_f32(sum[v], total[v]);
}

struct ForwardScratch {
  float* panels;   ///< of a block's queries
  float* scores;   ///< [keys][queries of a block]
  float* maximum;  ///< [queries of a block], as the next two: of a score, then as exp_columns' shift
  float* sum;      ///< then its inverse
  float* lse;

  ForwardScratch(const AttentionShape& shape, ScratchCursor& cursor) {
    const std::int64_t block = 4 * vectors_of_block(shape);
    panels = cursor.take(shape.key_dim * block);
    scores = cursor.take(shape.keys * block + attention::kReadBeyond);
    maximum = cursor.take(block);
    sum = cursor.take(block + attention::kReadBeyond);
    lse = cursor.take(block);
  }
};

/// Scores become exp(s - max).
void exponentiate(std::int64_t keys, std::int64_t vectors, const MatrixRows<float>& scores, const ForwardScratch& s) {
  const auto shift = reinterpret_cast<float(*)[4]>(s.maximum), sum = reinterpret_cast<float(*)[4]>(s.sum);
  for (std::int64_t v = 0; v < vectors; ++v) vst1q_f32(shift[v], vmulq_n_f32(vld1q_f32(shift[v]), -kLog2E));
  attention::for_each_chunk(vectors, [&](std::int64_t first, std::int64_t width) {
    const MatrixRows<float> columns{scores.data + 4 * first, scores.stride};
    if (width == 3) return exp_columns<3>(keys, columns, shift + first, sum + first);
    if (width == 2) return exp_columns<2>(keys, columns, shift + first, sum + first);
    exp_columns<1>(keys, columns, shift + first, sum + first);
  });
  for (std::int64_t i = 0; i < 4 * vectors; i += 4) {
    const float32x4_t total = vld1q_f32(s.sum + i);
    vst1q_f32(s.lse + i, vsubq_f32(log2_f32x4(total), vld1q_f32(s.maximum + i)));
    vst1q_f32(s.sum + i, div_f32(vdupq_n_f32(1.0f), total));
  }
}

void forward(const AttentionShape& shape, const AttentionInputs& inputs, const ListedRows<float>& y, float* lse,
             std::int64_t query_begin, std::int64_t query_end, const ForwardScratch& s) {
  const std::int64_t block = 4 * vectors_of_block(shape);
  const MatrixRows<float> scores{s.scores, block};
  for (std::int64_t query = query_begin; query < query_end; query += block) {
    const std::int64_t count = std::min(block, query_end - query), vectors = (count + 3) / 4;
    attention::pack_lanes(inputs.q, query, count, shape.key_dim, shape.scale, s.panels);
    attention::multiply_keys({.count = shape.keys,
                              .vectors = vectors,
                              .depth = shape.key_dim,
                              .keys = inputs.k,
                              .panels = s.panels,
                              .bias = attention::from_query(inputs.bias, query),
                              .mask = attention::from_query(inputs.mask, query),
                              .scores = scores,
                              .maximum = s.maximum});
    exponentiate(shape.keys, vectors, scores, s);
    std::copy_n(s.lse, count, lse + query);
    attention::combine_keys({.count = count,
                             .vectors = shape.value_dim / 4,
                             .depth = shape.keys,
                             .weights = {scores.data, scores.stride},
                             .rows = inputs.v,
                             .factor = s.sum,
                             .target = y,
                             .first = query});
  }
}

/// A copy of the operands in whole vectors.
struct PaddedForward {
  AttentionInputs inputs;
  ListedRows<float> y;

  PaddedForward(const AttentionShape& shape, const AttentionInputs& given, ScratchCursor& cursor) : inputs(given) {
    inputs.q = cursor.pad(shape.queries, shape.key_dim, given.q);
    inputs.k = cursor.pad(shape.keys, shape.key_dim, given.k);
    inputs.v = cursor.pad(shape.keys, shape.value_dim, given.v);
    y = cursor.take_rows(shape.queries, shape.value_dim);
  }
};

}  // namespace

std::int64_t attention_fwd_scratch_f32(const AttentionShape& shape) {
  ScratchCursor cursor(nullptr);
  ForwardScratch(attention::in_whole_vectors(shape), cursor);
  if (!attention::has_whole_vectors(shape)) PaddedForward(shape, {}, cursor);
  return cursor.floats();
}

void attention_fwd_f32(const AttentionShape& shape, const AttentionInputs& inputs, ListedRows<float> y, float* lse,
                       std::int64_t query_begin, std::int64_t query_end, float* scratch) {
  ScratchCursor cursor(scratch);
  const AttentionShape whole = attention::in_whole_vectors(shape);
  const ForwardScratch s(whole, cursor);
  if (attention::has_whole_vectors(shape)) return forward(shape, inputs, y, lse, query_begin, query_end, s);
  const PaddedForward padded(shape, inputs, cursor);
  forward(whole, padded.inputs, padded.y, lse, query_begin, query_end, s);
  attention::copy_rows(query_begin, query_end, shape.value_dim, padded.y, y);
}

}  // namespace bramble::kernels
