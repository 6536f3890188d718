// Backward: P is recomputed twelve queries at a time as in the forward, beside dP in the same form, in matrices
// [keys][a block of queries]. Twelve columns of dS are the GEMM's B of dQ^T = K^T dS^T; once a block is complete, the
// rows of P and dS are its A of dV = P^T dY and dK = dS^T Q. All of them are read where they lie.
#include <algorithm>

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

/// Queries of a block: deep enough that adding to dK and dV costs a twelfth of the product, shallow enough that a
/// block's P and dS stay in L2 beside the packed keys and values.
constexpr std::int64_t kLargestBlock = 72;

std::int64_t block_of(std::int64_t queries) {
  const std::int64_t blocks = std::max<std::int64_t>(1, (queries + kLargestBlock - 1) / kLargestBlock);
  return round_up((queries + blocks - 1) / blocks, kLanes);
}

struct BackwardScratch {
  float* key_panels;     ///< A panels of k transposed, where it cannot be read as it lies
  float* lane_panel;     ///< B panel of twelve rows of q or dy
  float* p;              ///< [keys][block]
  float* ds;             ///< likewise
  float* transposed;     ///< [key_dim, rounded up][12]
  float* block_columns;  ///< B panels of q's or dy's block

  BackwardScratch(const AttentionShape& shape, ScratchCursor& cursor) {
    const std::int64_t block = block_of(shape.queries);
    const std::int64_t widest = std::max(shape.key_dim, shape.value_dim);
    key_panels = cursor.take(gemm_a_elements(shape.key_dim, shape.keys));
    lane_panel = cursor.take(widest * kLanes);
    p = cursor.take(shape.keys * block);
    ds = cursor.take(shape.keys * block);
    transposed = cursor.take(round_up(shape.key_dim, kGemmTileRows) * kLanes);
    block_columns = cursor.take(gemm_b_elements(block, widest));
  }
};

/// A panel of queries, transposed.
struct Panel {
  MatrixRows<float> p;      ///< in: q . k, out: P
  MatrixRows<float> ds;     ///< in: dP = dy . v, out: scale * dS
  MatrixRows<float> dbias;  ///< += dS, if not null
  float lse[kLanes] = {};
  float delta[kLanes] = {};
};

template <int kVectors, int kAddends>
void differentiate(std::int64_t keys, float scale, const Addends& addends, const Panel& panel) {
  const float32x4_t factor = vdupq_n_f32(scale);
  for (std::int64_t j = 0; j < keys; ++j) {
    float *const p = panel.p.row(j), *const ds = panel.ds.row(j);
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v) {
      const float32x4_t lse = vld1q_f32(panel.lse + 4 * v), product = vld1q_f32(p + 4 * v);
      float32x4_t exponent;
      if constexpr (kAddends == 0) {
        exponent = vfmaq_f32(vnegq_f32(lse), product, factor);
      } else {
        exponent = vsubq_f32(attention::score<kAddends>(product, factor, addends, j, v), lse);
      }
      const float32x4_t probability = exp_f32x4(exponent);
      vst1q_f32(p + 4 * v, probability);
      const float32x4_t difference = vsubq_f32(vld1q_f32(ds + 4 * v), vld1q_f32(panel.delta + 4 * v));
      vst1q_f32(ds + 4 * v, vmulq_f32(vmulq_f32(probability, factor), difference));
      if (kAddends > 0 && panel.dbias.data != nullptr) {
        float* sum = panel.dbias.row(j) + 4 * v;
        vst1q_f32(sum, vfmaq_f32(vld1q_f32(sum), probability, difference));
      }
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

/// target[j][d] (=, or += with accumulate) sum over i < count of weights[j][i] * rows[i][d].
void add_block(std::int64_t keys, std::int64_t dim, std::int64_t count, const MatrixRows<float>& weights,
               const MatrixRows<const float>& rows, std::int64_t first, float* columns,
               const MatrixRows<float>& target) {
  gemm_pack_b_f32(count, dim, rows.row(first), rows.stride, columns);
  GemmRows product;
  product.rows = keys;
  product.cols = dim;
  product.depth = product.depth_step = product.b_depth = count;
  product.a = weights.data;
  product.a_stride = weights.stride;
  product.b = columns;
  product.c = target.data;
  product.c_stride = target.stride;
  product.accumulate = first > 0;
  gemm_rows_f32(product);
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
  const std::int64_t keys = shape.keys;
  const attention::KeyColumns key_columns(keys, shape.key_dim, inputs.k, s.key_panels);
  float ones[kLanes];
  std::fill_n(ones, kLanes, 1.0f);
  const std::int64_t block = block_of(shape.queries);
  for (std::int64_t first = 0; first < shape.queries; first += block) {
    const std::int64_t count = std::min(block, shape.queries - first);
    for (std::int64_t column = 0; column < count; column += kLanes) {
      const std::int64_t query = first + column;
      const std::int64_t rows = std::min(kLanes, count - column);
      Panel panel{{s.p + column, block}, {s.ds + column, block}, gradients.dbias};
      if (panel.dbias.data != nullptr) panel.dbias.data += query;
      attention::multiply_keys(keys, shape.key_dim, inputs.k, inputs.q, query, rows, s.lane_panel, panel.p);
      attention::multiply_keys(keys, shape.value_dim, inputs.v, saved.dy, query, rows, s.lane_panel, panel.ds);
      for (std::int64_t i = 0; i < rows; ++i) {
        panel.lse[i] = saved.lse[query + i];
        panel.delta[i] = dot(shape.value_dim, saved.dy.row(query + i), saved.y.row(query + i));
      }
      const Addends addends(inputs, query);
      attention::dispatch_panel(rows, addends, [&]<int kVectors, int kAddends>() {
        differentiate<kVectors, kAddends>(keys, shape.scale, addends, panel);
      });
      attention::combine_keys(keys, shape.key_dim, key_columns, panel.ds, ones, gradients.dq, query, rows,
                              s.transposed);
    }
    add_block(keys, shape.value_dim, count, {s.p, block}, saved.dy, first, s.block_columns, gradients.dv);
    add_block(keys, shape.key_dim, count, {s.ds, block}, inputs.q, first, s.block_columns, gradients.dk);
  }
}

}  // namespace bramble::kernels
