#include <algorithm>
#include <limits>

#include "kernels/attention/multiply_lanes_neon.h"
#include "kernels/attention/multiply_rows_neon.h"
#include "kernels/attention/product_tile_neon.h"
#include "kernels/attention/products.h"
#include "kernels/gemm/pack_rows_neon.h"
#include "kernels/gemm/tile_neon.h"
#include "kernels/simd/neon.h"

namespace bramble::kernels::attention {
namespace {

template <int Rows, int Vectors>
BRAMBLE_INLINE void keep_maximum(const Accumulators<Rows, Vectors>& acc, float* maximum) {
  BRAMBLE_UNROLL
  for (int j = 0; j < Vectors; ++j) {
    float32x4_t largest = vld1q_f32(maximum + 4 * j);
    BRAMBLE_UNROLL
    for (int i = 0; i < Rows; ++i) largest = vmaxq_f32(largest, acc.v[i][j]);
    vst1q_f32(maximum + 4 * j, largest);
  }
}

template <bool kMaximum>
BRAMBLE_PAGE_ALIGNED void multiply_keys_of(const ScoreProduct& p) {
  for_each_tile(p.count, [&]<int Rows>(std::int64_t first) {
    const TileRows<Rows, const float> keys(p.keys, first, p.count), bias(p.bias, first, p.count),
        mask(p.mask, first, p.count);
    const TileRows<Rows, float> scores(p.scores, first, p.count);
    for_each_chunk(p.vectors, [&](std::int64_t vector, std::int64_t width) {
      const std::int64_t column = 4 * vector;
      with_vectors(width, [&]<int Vectors>() {
        Accumulators<Rows, Vectors> acc;
        multiply_rows(acc, keys.row, p.depth, Panel<Vectors>{p.panels + column * p.depth},
                      p.bias.data ? bias.row : nullptr, p.mask.data ? mask.row : nullptr, column);
        if constexpr (kMaximum) keep_maximum(acc, p.maximum + column);
        store(acc, scores.row, column);
      });
    });
  });
}

template <bool kScaled>
BRAMBLE_PAGE_ALIGNED void combine_keys_of(const QueryProduct& p) {
  for_each_chunk(p.vectors, [&](std::int64_t vector, std::int64_t width) {
    const std::int64_t column = 4 * vector;
    for_each_tile(p.count, [&]<int Rows>(std::int64_t first) {
      const TileRows<Rows, float> target(p.target, p.first + first, p.first + p.count);
      with_vectors(width, [&]<int Vectors>() {
        Accumulators<Rows, Vectors> acc;
        multiply_lanes(acc, {p.weights.data + first, p.weights.stride}, {p.rows.data + column, p.rows.offsets},
                       p.depth);
        if constexpr (kScaled) scale_rows(acc, p.factor + first);
        store(acc, target.row, column);
      });
    });
  });
}

/// panel[d * 4 * Vectors + i] = factor * rows[i][d].
template <int Vectors>
void pack_panel(const float* const* rows, std::int64_t depth, float factor, float* panel) {
  constexpr int kWidth = 4 * Vectors;
  for (std::int64_t d = 0; d < depth; d += 4) {
    BRAMBLE_UNROLL
    for (int v = 0; v < Vectors; ++v) {
      float32x4_t r[4];
      BRAMBLE_UNROLL
      for (int i = 0; i < 4; ++i) r[i] = vmulq_n_f32(vld1q_f32(rows[4 * v + i] + d), factor);
      transpose_4x4_f32(r);
      BRAMBLE_UNROLL
      for (int i = 0; i < 4; ++i) vst1q_f32(panel + (d + i) * kWidth + 4 * v, r[i]);
    }
  }
}

void multiply_keys_plainly(const ScoreProduct& p) {
  for_each_chunk(p.vectors, [&](std::int64_t vector, std::int64_t width) {
    for (std::int64_t i = 4 * vector; i < 4 * (vector + width); ++i) {
      const float* column = p.panels + 4 * vector * p.depth + (i - 4 * vector);
      for (std::int64_t j = 0; j < p.count; ++j) {
        float sum = (p.bias.data ? p.bias.row(j)[i] : 0) + (p.mask.data ? p.mask.row(j)[i] : 0);
        for (std::int64_t d = 0; d < p.depth; ++d) sum += p.keys.row(j)[d] * column[d * 4 * width];
        p.scores.row(j)[i] = sum;
        if (p.maximum) p.maximum[i] = std::max(p.maximum[i], sum);
      }
    }
  });
}

void multiply_weights_plainly(const KeyGradientProduct& p) {
  for (std::int64_t j = 0; j < p.count; ++j) {
    for (std::int64_t d = 0; d < 4 * p.vectors; ++d) {
      float& target = p.target.row(j)[d];
      float sum = p.accumulate ? target : 0;
      for (std::int64_t i = 0; i < p.depth; ++i) sum += p.weights.row(j)[i] * p.rows.row(p.first + i)[d];
      target = sum;
    }
  }
}

}  // namespace

void multiply_keys(const ScoreProduct& product) {
  if (product.maximum) std::fill_n(product.maximum, 4 * product.vectors, -std::numeric_limits<float>::infinity());
  if (product.depth < kFewSteps) return multiply_keys_plainly(product);
  if (product.maximum) return multiply_keys_of<true>(product);
  multiply_keys_of<false>(product);
}

void pack_lanes(const ListedRows<const float>& rows, std::int64_t first, std::int64_t count, std::int64_t depth,
                float factor, float* panels) {
  for_each_chunk((count + 3) / 4, [&](std::int64_t vector, std::int64_t width) {
    const std::int64_t column = 4 * vector;
    for (std::int64_t d = 0; d < depth; d += kZeroRow) {
      const float* lanes[12];
      for (std::int64_t i = 0; i < 4 * width; ++i)
        lanes[i] = column + i < count ? rows.row(first + column + i) + d : zero_row;
      with_vectors(width, [&]<int Vectors>() {
        pack_panel<Vectors>(lanes, std::min(kZeroRow, depth - d), factor, panels + column * depth + d * 4 * Vectors);
      });
    }
  });
}

BRAMBLE_PAGE_ALIGNED void multiply_weights(const KeyGradientProduct& p) {
  if (p.depth < kFewSteps) return multiply_weights_plainly(p);
  for_each_tile(p.count, [&]<int Rows>(std::int64_t first) {
    const TileRows<Rows, const float> weights(p.weights, first, p.count);
    const TileRows<Rows, float> target(p.target, first, p.count);
    for_each_chunk(p.vectors, [&](std::int64_t vector, std::int64_t width) {
      const std::int64_t column = 4 * vector;
      with_vectors(width, [&]<int Vectors>() {
        Accumulators<Rows, Vectors> acc;
        multiply_rows(acc, weights.row, p.depth, Listed{p.rows.data + column, p.rows.offsets + p.first},
                      p.accumulate ? target.row : nullptr, nullptr, column);
        store(acc, target.row, column);
      });
    });
  });
}

void combine_keys(const QueryProduct& product) {
  if (product.factor) return combine_keys_of<true>(product);
  combine_keys_of<false>(product);
}

}  // namespace bramble::kernels::attention
