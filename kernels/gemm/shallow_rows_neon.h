// Products of rows in place whose sums are so short that storing them is most of the work. Include from _neon.cc files
// only.
#pragma once

#include <cstdint>

#include "kernels/gemm/gemm.h"
#include "kernels/gemm/tile_neon.h"

namespace bramble::kernels::gemm {

inline constexpr int kMostShallowTerms = 4;

inline bool takes_shallow_rows(const GemmRows& product, const GemmEpilogue& epilogue) {
  return product.depth >= 1 && product.depth <= kMostShallowTerms && product.cols % 4 == 0 && !product.accumulate &&
         !epilogue.residual && !epilogue.preactivation && !epilogue.gelu_input && !epilogue.scale &&
         (epilogue.activation == Activation::none || clamps(epilogue.activation));
}

/// Columns from `col` on, whose terms of B are `width` floats apart, of all rows.
template <int Terms, int Vectors>
BRAMBLE_INLINE void shallow_vectors(const GemmRows& product, const GemmEpilogue& epilogue, std::int64_t col,
                                    const float* b, std::int64_t width) {
  float32x4_t columns[Terms][Vectors], start[Vectors];
  BRAMBLE_UNROLL
  for (int j = 0; j < Vectors; ++j) {
    start[j] = epilogue.bias ? vld1q_f32(epilogue.bias + col + 4 * j) : vdupq_n_f32(0);
    BRAMBLE_UNROLL
    for (int k = 0; k < Terms; ++k) columns[k][j] = vld1q_f32(b + k * width + 4 * j);
  }
  const bool clamped = epilogue.activation != Activation::none;
  const float* a = product.a;
  float* c = product.c + col;
  for (std::int64_t i = 0; i < product.rows; ++i, a += product.a_stride, c += product.c_stride) {
    Accumulators<1, Vectors> sum;
    BRAMBLE_UNROLL
    for (int j = 0; j < Vectors; ++j) {
      sum.v[0][j] = start[j];
      BRAMBLE_UNROLL
      for (int k = 0; k < Terms; ++k) sum.v[0][j] = vfmaq_n_f32(sum.v[0][j], columns[k][j], a[k]);
    }
    if (clamped) clamp(sum, epilogue.activation == Activation::relu6);
    BRAMBLE_UNROLL
    for (int j = 0; j < Vectors; ++j) vst1q_f32(c + 4 * j, sum.v[0][j]);
  }
}

template <int Terms>
void shallow_columns(const GemmRows& product, const GemmEpilogue& epilogue) {
  std::int64_t col = 0;
  const float* b = product.b;
  for (; col + kGemmTileCols <= product.cols; col += kGemmTileCols, b += kGemmTileCols * product.b_depth)
    shallow_vectors<Terms, 3>(product, epilogue, col, b, kGemmTileCols);
  const std::int64_t width = product.cols - col;
  for (; col < product.cols; col += 4, b += 4) shallow_vectors<Terms, 1>(product, epilogue, col, b, width);
}

/// gemm_rows_f32, to the same bits.
inline void shallow_rows(const GemmRows& product, const GemmEpilogue& epilogue) {
  if (product.depth == 1) return shallow_columns<1>(product, epilogue);
  if (product.depth == 2) return shallow_columns<2>(product, epilogue);
  if (product.depth == 3) return shallow_columns<3>(product, epilogue);
  shallow_columns<4>(product, epilogue);
}

}  // namespace bramble::kernels::gemm
