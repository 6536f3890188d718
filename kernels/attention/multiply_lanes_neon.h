// A tile's sums over rows that lie side by side, a depth step's in one or two vectors: queries, columns of P and dS.
// Include from _neon.cc files only.
#pragma once

#include <cstdint>

#include "kernels/attention/matrix_rows.h"
#include "kernels/attention/product_tile_neon.h"
#include "kernels/gemm/tile_neon.h"
#include "kernels/simd/neon.h"

namespace bramble::kernels::attention {
// Of internal linkage: see product_tile_neon.h.
namespace {

/// One depth step of rows that lie side by side: four a vector.
template <bool kFirst, int Rows, int Vectors>
BRAMBLE_INLINE void step_lanes(Accumulators<Rows, Vectors>& acc, const float* a, const float* b) {
  const float32x4_t low = vld1q_f32(a), high = Rows > 4 ? vld1q_f32(a + 4) : low;
  float32x4_t columns[Vectors];
  BRAMBLE_UNROLL
  for (int j = 0; j < Vectors; ++j) columns[j] = vld1q_f32(b + 4 * j);
  const auto row = [&]<int Row>() {
    BRAMBLE_UNROLL
    for (int j = 0; j < Vectors; ++j) {
      float32x4_t& sum = acc.v[Row][j];
      const float32x4_t weights = Row < 4 ? low : high;
      sum = kFirst ? mul_lane_f32<Row % 4>(columns[j], weights) : fma_lane_f32<Row % 4>(sum, columns[j], weights);
    }
  };
  row.template operator()<0>();
  row.template operator()<1>();
  row.template operator()<2>();
  row.template operator()<3>();
  if constexpr (Rows > 4) {
    row.template operator()<4>();
    row.template operator()<5>();
    row.template operator()<6>();
  }
  gemm::end_step();
}

template <int Rows, int Vectors>
BRAMBLE_INLINE void scale_rows(Accumulators<Rows, Vectors>& acc, const float* factor) {
  const float32x4_t low = vld1q_f32(factor), high = vld1q_f32(factor + 4);
  BRAMBLE_UNROLL
  for (int j = 0; j < Vectors; ++j) {
    acc.v[0][j] = mul_lane_f32<0>(acc.v[0][j], low);
    acc.v[1][j] = mul_lane_f32<1>(acc.v[1][j], low);
    acc.v[2][j] = mul_lane_f32<2>(acc.v[2][j], low);
    acc.v[3][j] = mul_lane_f32<3>(acc.v[3][j], low);
    if constexpr (Rows > 4) {
      acc.v[4][j] = mul_lane_f32<0>(acc.v[4][j], high);
      acc.v[5][j] = mul_lane_f32<1>(acc.v[5][j], high);
      acc.v[6][j] = mul_lane_f32<2>(acc.v[6][j], high);
    }
  }
}

template <int Rows, int Vectors>
BRAMBLE_INLINE void multiply_lanes(Accumulators<Rows, Vectors>& acc, const MatrixRows<const float>& weights,
                                   const Listed& columns, std::int64_t depth) {
  const float* a = weights.data;
  const std::int64_t step = weights.stride;
  step_lanes<true>(acc, a, columns.at(0));
  std::int64_t k = 1;
  for (; k + 8 <= depth; k += 4) {
    BRAMBLE_UNROLL
    for (int i = 0; i < 4; ++i) step_lanes<false>(acc, a += step, columns.at(k + i));
  }
  for (; k + 4 < depth; ++k) step_lanes<false>(acc, a += step, columns.at(k));
  if (k + 4 == depth) {
    BRAMBLE_UNROLL
    for (int i = 0; i < 4; ++i) step_lanes<false>(acc, a += step, columns.at(k + i));
  } else {
    for (; k < depth; ++k) step_lanes<false>(acc, a += step, columns.at(k));
  }
}

}  // namespace
}  // namespace bramble::kernels::attention
