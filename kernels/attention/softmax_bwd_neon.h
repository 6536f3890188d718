// The softmax of attention, differentiated for a block of queries: delta, then P from the scores and dS from dP.
// Include from _neon.cc files only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numbers>

#include "kernels/activation/functions_neon.h"
#include "kernels/attention/attention.h"
#include "kernels/attention/products.h"
#include "kernels/attention/scratch.h"
#include "kernels/simd/neon.h"

namespace bramble::kernels::attention {
// Of internal linkage though in a header: GCC 12 inlines all of it only where no other file might share it.
namespace {

/// Columns of a block.
struct Columns {
  MatrixRows<float> p;      ///< in: the scores, out: P
  MatrixRows<float> ds;     ///< in: scale * dP, out: scale * dS
  MatrixRows<float> dbias;  ///< += dS, if not null
  const float (*shift)[4];
  const float (*delta)[4];
};

/// Some rows, from p, ds and dbias on.
template <int kRows, int kVectors, bool kBias>
inline __attribute__((always_inline)) void differentiate_rows(const Columns& columns, float* p, float* ds, float* dbias,
                                                              float32x4_t log2_e, float32x4_t inverse_scale) {
  float32x4_t value[kRows * kVectors];
#pragma GCC unroll 4
  for (int i = 0; i < kRows * kVectors; ++i) {
    const float32x4_t score = vld1q_f32(p + i / kVectors * columns.p.stride + 4 * (i % kVectors));
    value[i] = vfmaq_f32(loaded_f32(columns.shift[i % kVectors]), score, log2_e);
  }
  exp2_f32(value);
  const auto at = [](float* data, std::int64_t stride, int i) {
    return data + i / kVectors * stride + 4 * (i % kVectors);
  };
  // What is stored side by side goes in pairs, which take the pipes that the FMAs need half as long.
#pragma GCC unroll 4
  for (int i = 0; i < kRows * kVectors; ++i) vst1q_f32(at(p, columns.p.stride, i), value[i]);
#pragma GCC unroll 4
  for (int i = 0; i < kRows * kVectors; ++i) {
    const float32x4_t dp = vld1q_f32(at(ds, columns.ds.stride, i));
    value[i] = vmulq_f32(value[i], vsubq_f32(dp, vld1q_f32(columns.delta[i % kVectors])));
  }
#pragma GCC unroll 4
  for (int i = 0; i < kRows * kVectors; ++i) vst1q_f32(at(ds, columns.ds.stride, i), value[i]);
  if constexpr (kBias) {
#pragma GCC unroll 4
    for (int i = 0; i < kRows * kVectors; ++i)
      value[i] = vfmaq_f32(vld1q_f32(at(dbias, columns.dbias.stride, i)), value[i], inverse_scale);
#pragma GCC unroll 4
    for (int i = 0; i < kRows * kVectors; ++i) vst1q_f32(at(dbias, columns.dbias.stride, i), value[i]);
  }
}

template <int kVectors, bool kBias>
void differentiate(std::int64_t keys, float scale, const Columns& block) {
  constexpr int kRows = rows_of_turn(kVectors);
  const Columns columns = block;
  const float32x4_t log2_e = vdupq_n_f32(std::numbers::log2e_v<float>), inverse_scale = vdupq_n_f32(1 / scale);
  float *p = columns.p.data, *ds = columns.ds.data, *dbias = columns.dbias.data;
  const auto pass = [&](std::int64_t rows) {
    p += rows * columns.p.stride;
    ds += rows * columns.ds.stride;
    if constexpr (kBias) dbias += rows * columns.dbias.stride;
  };
  std::int64_t j = 0;
  for (; j + kRows <= keys; j += kRows, pass(kRows))
    differentiate_rows<kRows, kVectors, kBias>(columns, p, ds, dbias, log2_e, inverse_scale);
  for (; j < keys; ++j, pass(1)) differentiate_rows<1, kVectors, kBias>(columns, p, ds, dbias, log2_e, inverse_scale);
}

inline void differentiate(std::int64_t keys, std::int64_t vectors, float scale, const Columns& block) {
  for_each_chunk(vectors, [&](std::int64_t first, std::int64_t width) {
    Columns columns = block;
    columns.p.data += 4 * first;
    columns.ds.data += 4 * first;
    columns.shift += first;
    columns.delta += first;
    if (columns.dbias.data != nullptr) columns.dbias.data += 4 * first;
    const auto run = [&]<int kVectors>() {
      if (columns.dbias.data != nullptr) return differentiate<kVectors, true>(keys, scale, columns);
      differentiate<kVectors, false>(keys, scale, columns);
    };
    if (width == 3) return run.template operator()<3>();
    if (width == 2) return run.template operator()<2>();
    run.template operator()<1>();
  });
}

/// delta[i] = scale * sum over d of dy[first + i][d] * y[first + i][d], i < count; then zeros to the vector's end.
inline void multiply_outputs(const AttentionShape& shape, const AttentionSaved& saved, std::int64_t first,
                             std::int64_t count, float* delta) {
  for (std::int64_t i = 0; i < count; i += 4) {
    float32x4_t sums[4];
    // Four side by side: one's sum waits for itself.
#pragma GCC unroll 4
    for (float32x4_t& sum : sums) sum = vdupq_n_f32(0);
    const float *dy[4], *y[4];
    for (std::int64_t lane = 0; lane < 4; ++lane) {
      const std::int64_t row = first + std::min(i + lane, count - 1);
      dy[lane] = saved.dy.row(row);
      y[lane] = saved.y.row(row);
    }
    for (std::int64_t d = 0; d < shape.value_dim; d += 4) {
#pragma GCC unroll 4
      for (int lane = 0; lane < 4; ++lane)
        sums[lane] = vfmaq_f32(sums[lane], vld1q_f32(dy[lane] + d), vld1q_f32(y[lane] + d));
    }
    const float32x4_t all = vpaddq_f32(vpaddq_f32(sums[0], sums[1]), vpaddq_f32(sums[2], sums[3]));
    vst1q_f32(delta + i, vmulq_n_f32(all, shape.scale));
  }
  std::fill_n(delta + count, round_up(count, 4) - count, 0.0f);
}

}  // namespace
}  // namespace bramble::kernels::attention
