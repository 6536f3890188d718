// Backward: P is recomputed twelve queries at a time as in the forward, [keys][12], beside dP in the same form. That
// form is the B panel of dQ^T = K^T dS^T. dV and dK reduce over queries: P and dS of a block of queries are kept,
// transposed into A panels, and multiplied once a block.
#include <algorithm>

#include "kernels/activation/activation_neon.h"
#include "kernels/attention/attention.h"
#include "kernels/attention/panels_neon.h"
#include "kernels/gemm/gemm.h"
#include "kernels/simd/neon.h"

namespace bramble::kernels {
namespace {

using attention::kLanes;
using attention::ScratchCursor;

/// Queries of a block: deep enough that adding to dK and dV costs a twelfth of the product, shallow enough that a
/// block's P and dS stay in L2 beside the packed keys and values.
constexpr std::int64_t kLargestBlock = 72;

std::int64_t block_of(std::int64_t queries) {
  const std::int64_t blocks = std::max<std::int64_t>(1, (queries + kLargestBlock - 1) / kLargestBlock);
  return round_up((queries + blocks - 1) / blocks, kLanes);
}

struct BackwardScratch {
  float* key_columns;    ///< A panels of k transposed
  float* lane_panel;     ///< B panel of twelve rows of q or dy
  float* p;              ///< [keys, rounded up][12]
  float* ds;             ///< likewise
  float* transposed;     ///< [head_dim, rounded up][12]
  float* p_panels;       ///< A panels of P transposed, [keys][block]
  float* ds_panels;      ///< likewise
  float* block_columns;  ///< B panels of q's or dy's block

  BackwardScratch(const AttentionShape& shape, ScratchCursor& cursor) {
    const std::int64_t keys = round_up(shape.keys, kGemmTileRows);
    const std::int64_t block = block_of(shape.queries);
    key_columns = cursor.take(gemm_a_elements(shape.head_dim, shape.keys));
    lane_panel = cursor.take(shape.head_dim * kLanes);
    p = cursor.take(keys * kLanes);
    ds = cursor.take(keys * kLanes);
    transposed = cursor.take(round_up(shape.head_dim, kGemmTileRows) * kLanes);
    p_panels = cursor.take(keys * block);
    ds_panels = cursor.take(keys * block);
    block_columns = cursor.take(gemm_b_elements(block, shape.head_dim));
  }
};

/// p[j][i] (in: q . k, out: P); ds[j][i] (in: dP = dy . v, out: dS).
template <int kVectors>
void differentiate_panel(std::int64_t keys, float scale, const float* lse, const float* delta, float* p, float* ds) {
  const float32x4_t factor = vdupq_n_f32(scale);
  for (std::int64_t j = 0; j < keys; ++j) {
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v, p += 4, ds += 4) {
      const float32x4_t exponent = vfmaq_f32(vnegq_f32(vld1q_f32(lse + 4 * v)), vld1q_f32(p), factor);
      const float32x4_t probability = exp_f32x4(exponent);
      vst1q_f32(p, probability);
      vst1q_f32(ds, vmulq_f32(vmulq_f32(probability, factor), vsubq_f32(vld1q_f32(ds), vld1q_f32(delta + 4 * v))));
    }
  }
}

float dot(std::int64_t count, const float* a, const float* b) {
  float32x4_t sums = vdupq_n_f32(0);
  std::int64_t i = 0;
  for (; i + 4 <= count; i += 4) sums = vfmaq_f32(sums, vld1q_f32(a + i), vld1q_f32(b + i));
  float sum = vaddvq_f32(sums);
  for (; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

/// Transposes [keys][width] into columns [column, column + rows) of A panels that are `depth` deep.
void add_to_panels(std::int64_t keys, std::int64_t rows, const float* lanes, std::int64_t depth, std::int64_t column,
                   float* panels) {
  const std::int64_t width = round_up(rows, 4);
  for (std::int64_t j = 0; j < keys; j += kGemmTileRows)
    gemm_pack_a_f32(kGemmTileRows, rows, lanes + j * width, width, panels + j * depth + column * kGemmTileRows);
}

}  // namespace

std::int64_t attention_bwd_scratch_f32(const AttentionShape& shape) {
  ScratchCursor cursor(nullptr);
  BackwardScratch(shape, cursor);
  return cursor.floats();
}

void attention_bwd_f32(const AttentionShape& shape, const AttentionInputs& inputs, const AttentionSaved& saved,
                       const AttentionGradients& gradients, float* scratch) {
  ScratchCursor cursor(scratch);
  const BackwardScratch s(shape, cursor);
  const std::int64_t dim = shape.head_dim;
  const std::int64_t keys = shape.keys;
  gemm_pack_a_trans_f32(dim, keys, inputs.k.data, inputs.k.stride, s.key_columns);
  float ones[kLanes];
  std::fill_n(ones, kLanes, 1.0f);
  const std::int64_t block = block_of(shape.queries);
  for (std::int64_t first = 0; first < shape.queries; first += block) {
    const std::int64_t depth = std::min(block, shape.queries - first);
    for (std::int64_t column = 0; column < depth; column += kLanes) {
      const std::int64_t query = first + column;
      const std::int64_t rows = std::min(kLanes, depth - column);
      attention::multiply_keys(keys, dim, inputs.k, inputs.q, query, rows, s.lane_panel, s.p);
      attention::multiply_keys(keys, dim, inputs.v, saved.dy, query, rows, s.lane_panel, s.ds);
      float lse[kLanes] = {}, delta[kLanes] = {};
      for (std::int64_t i = 0; i < rows; ++i) {
        lse[i] = saved.lse[query + i];
        delta[i] = dot(dim, saved.dy.row(query + i), saved.y.row(query + i));
      }
      attention::dispatch_vectors(
          rows, [&]<int kVectors>() { differentiate_panel<kVectors>(keys, shape.scale, lse, delta, s.p, s.ds); });
      attention::combine_keys(keys, dim, s.key_columns, s.ds, ones, gradients.dq, query, rows, s.transposed);
      add_to_panels(keys, rows, s.p, depth, column, s.p_panels);
      add_to_panels(keys, rows, s.ds, depth, column, s.ds_panels);
    }
    const bool accumulate = first > 0;
    gemm_pack_b_f32(depth, dim, saved.dy.row(first), saved.dy.stride, s.block_columns);
    gemm_packed_f32(keys, dim, depth, s.p_panels, s.block_columns, gradients.dv.data, gradients.dv.stride, accumulate);
    gemm_pack_b_f32(depth, dim, inputs.q.row(first), inputs.q.stride, s.block_columns);
    gemm_packed_f32(keys, dim, depth, s.ds_panels, s.block_columns, gradients.dk.data, gradients.dk.stride, accumulate);
  }
}

}  // namespace bramble::kernels
