// A tile's sums over rows that lie apart, each contiguous along the depth: keys, P's and dS's rows. Include from
// _neon.cc files only.
#pragma once

#include <cstdint>

#include "kernels/attention/product_tile_neon.h"
#include "kernels/gemm/tile_neon.h"
#include "kernels/simd/neon.h"

namespace bramble::kernels::attention {

template <int Rows, int Vectors>
BRAMBLE_INLINE void add(Accumulators<Rows, Vectors>& acc, const float* const* rows, std::int64_t column) {
  BRAMBLE_UNROLL
  for (int i = 0; i < Rows; ++i) {
    const float* row = row_address(rows[i], column);
    BRAMBLE_UNROLL
    for (int j = 0; j < Vectors; ++j) acc.v[i][j] = vaddq_f32(acc.v[i][j], vld1q_f32(row + 4 * j));
  }
}

/// Four depth steps of rows that lie apart; the first as products where nothing has been summed yet.
template <bool kFirst, int Rows, int Vectors, class Columns>
BRAMBLE_INLINE void four_steps(Accumulators<Rows, Vectors>& acc, const float* const (&a)[Rows], const Columns& columns,
                               std::int64_t k) {
  float32x4_t steps[Rows];
  BRAMBLE_UNROLL
  for (int i = 0; i < Rows; ++i) steps[i] = vld1q_f32(a[i] + k);
  if constexpr (kFirst) {
    BRAMBLE_UNROLL
    for (int j = 0; j < Vectors; ++j) {
      const float32x4_t column = vld1q_f32(columns.at(k) + 4 * j);
      BRAMBLE_UNROLL
      for (int i = 0; i < Rows; ++i) acc.v[i][j] = mul_lane_f32<0>(column, steps[i]);
    }
    gemm::end_step();
  } else {
    gemm::step_rows<0>(acc, steps, columns.at(k));
  }
  gemm::step_rows<1>(acc, steps, columns.at(k + 1));
  gemm::step_rows<2>(acc, steps, columns.at(k + 2));
  gemm::step_rows<3>(acc, steps, columns.at(k + 3));
}

template <int Rows, int Vectors, class Columns>
BRAMBLE_INLINE void one_step(Accumulators<Rows, Vectors>& acc, const float* const (&a)[Rows], const Columns& columns,
                             std::int64_t k) {
  float32x4_t step[Rows];
  BRAMBLE_UNROLL
  for (int i = 0; i < Rows; ++i) step[i] = vld1q_dup_f32(a[i] + k);
  gemm::step_rows<0>(acc, step, columns.at(k));
}

/// Depths below these two turns of four steps are left to plain loops.
inline constexpr std::int64_t kFewSteps = 8;

/// acc (=) A's rows times the columns + what is added, where not null. The first four steps stand outside the loop as
/// they need no zeros, the last four as the stores that follow then cost nothing beside them.
template <int Rows, int Vectors, class Columns>
BRAMBLE_INLINE void multiply_rows(Accumulators<Rows, Vectors>& acc, const float* const (&rows)[Rows],
                                  std::int64_t depth, const Columns& columns, const float* const* first_addend,
                                  const float* const* second_addend, std::int64_t column) {
  const float* a[Rows];
  BRAMBLE_UNROLL
  for (int i = 0; i < Rows; ++i) a[i] = rows[i];
  const std::int64_t last = depth / 4 * 4 - 4;
  four_steps<true>(acc, a, columns, 0);
  for (std::int64_t k = 4; k < last; k += 4) four_steps<false>(acc, a, columns, k);
  for (std::int64_t k = last + 4; k < depth; ++k) one_step(acc, a, columns, k);
  if (first_addend) add(acc, first_addend, column);
  if (second_addend) add(acc, second_addend, column);
  four_steps<false>(acc, a, columns, last);
}

}  // namespace bramble::kernels::attention
