// The inner step of all packing: eight rows side by side. Include from _neon.cc files only.
#pragma once

#include <cstdint>

#include "kernels/gemm/gemm.h"
#include "kernels/simd/neon.h"

namespace bramble::kernels {

/// A row that does not exist reads these. Depths are cut so that none is longer.
inline constexpr std::int64_t kZeroRow = 1024;
alignas(64) inline constexpr float zero_row[kZeroRow] = {};

/// r[i] lane j becomes r[j] lane i.
inline void transpose_4x4_f32(float32x4_t (&r)[4]) {
  const float64x2_t even0 = vreinterpretq_f64_f32(vtrn1q_f32(r[0], r[1]));
  const float64x2_t odd0 = vreinterpretq_f64_f32(vtrn2q_f32(r[0], r[1]));
  const float64x2_t even1 = vreinterpretq_f64_f32(vtrn1q_f32(r[2], r[3]));
  const float64x2_t odd1 = vreinterpretq_f64_f32(vtrn2q_f32(r[2], r[3]));
  r[0] = vreinterpretq_f32_f64(vtrn1q_f64(even0, even1));
  r[1] = vreinterpretq_f32_f64(vtrn1q_f64(odd0, odd1));
  r[2] = vreinterpretq_f32_f64(vtrn2q_f64(even0, even1));
  r[3] = vreinterpretq_f32_f64(vtrn2q_f64(odd0, odd1));
}

/// for (k < depth) for (i < 4 * Quads) panel[k * 4 * Quads + i] = rows[i][k];
template <int Quads>
inline void interleave_rows_f32(const float* const* rows, std::int64_t depth, float* panel) {
  constexpr int kWidth = 4 * Quads;
  const auto four = [&](std::int64_t k) {
#pragma GCC unroll 3
    for (int q = 0; q < Quads; ++q) {
      float32x4_t r[4] = {vld1q_f32(rows[4 * q] + k), vld1q_f32(rows[4 * q + 1] + k), vld1q_f32(rows[4 * q + 2] + k),
                          vld1q_f32(rows[4 * q + 3] + k)};
      transpose_4x4_f32(r);
      vst1q_f32(panel + (k + 0) * kWidth + 4 * q, r[0]);
      vst1q_f32(panel + (k + 1) * kWidth + 4 * q, r[1]);
      vst1q_f32(panel + (k + 2) * kWidth + 4 * q, r[2]);
      vst1q_f32(panel + (k + 3) * kWidth + 4 * q, r[3]);
    }
  };
  std::int64_t k = 0;
  for (; k + 4 <= depth; k += 4) four(k);
  if (k < depth && depth > 4) return four(depth - 4);  // some once more
  for (; k < depth; ++k) {
    for (int i = 0; i < kWidth; ++i) panel[k * kWidth + i] = rows[i][k];
  }
}

/// for (i < count) to[i] = from[i]; inlined, for runs of a few dozen floats that do not overlap.
inline void copy_run_f32(const float* from, std::int64_t count, float* to) {
  if (count >= 4) {
    const auto four = [&](std::int64_t i) { vst1q_f32(to + i, vld1q_f32(from + i)); };
    for (std::int64_t i = 0; i + 4 <= count; i += 4) {
      four(i);
      asm volatile("" : "+r"(i));  // GCC would call memcpy, whose choices take as long as the copy
    }
    if (count % 4 != 0) four(count - 4);  // some once more
    return;
  }
  if (count & 2) {
    vst1_f32(to, vld1_f32(from));
    from += 2;
    to += 2;
  }
  if (count & 1) *to = *from;
}

}  // namespace bramble::kernels
