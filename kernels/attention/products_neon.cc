#include <algorithm>
#include <limits>

#include "kernels/attention/products.h"
#include "kernels/gemm/pack_rows_neon.h"
#include "kernels/gemm/tile_neon.h"
#include "kernels/simd/neon.h"

namespace bramble::kernels::attention {
namespace {

using gemm::Accumulators;
using gemm::row_address;

/// Calls tile.template operator()<rows>(first): sevens, then fours; the last may have rows that do not exist.
template <class Tile>
BRAMBLE_INLINE void for_each_tile(std::int64_t count, Tile tile) {
  // All counts from 18 on, and some below, are sums of sevens and fours.
  std::int64_t rows = count, fours = 0;
  while ((rows - 4 * fours) % 7 != 0) {
    if (4 * ++fours > rows) ++rows, fours = 0;
  }
  std::int64_t first = 0;
  for (; first < rows - 4 * fours; first += 7) tile.template operator()<7>(first);
  for (; first < rows; first += 4) tile.template operator()<4>(first);
}

template <class Tile>
BRAMBLE_INLINE void with_vectors(std::int64_t vectors, Tile tile) {
  if (vectors == 3) return tile.template operator()<3>();
  if (vectors == 2) return tile.template operator()<2>();
  tile.template operator()<1>();
}

/// Rows of a tile that do not exist are the last one once more, stored before it.
template <int Rows, class Value>
struct TileRows {
  Value* row[Rows];

  template <class Matrix>
  TileRows(const Matrix& matrix, std::int64_t first, std::int64_t count) {
    if (matrix.data == nullptr) return;
    BRAMBLE_UNROLL
    for (int i = 0; i < Rows; ++i) row[i] = matrix.row(std::min<std::int64_t>(first + i, count - 1));
  }
};

template <int Rows, int Vectors>
BRAMBLE_INLINE void store(const Accumulators<Rows, Vectors>& acc, float* const (&rows)[Rows], std::int64_t column) {
  BRAMBLE_UNROLL
  for (int i = Rows - 1; i >= 0; --i) {
    float* row = row_address(rows[i], column);
    BRAMBLE_UNROLL
    for (int j = 0; j < Vectors; ++j) vst1q_f32(row + 4 * j, acc.v[i][j]);
  }
}

template <int Rows, int Vectors>
BRAMBLE_INLINE void add(Accumulators<Rows, Vectors>& acc, const float* const* rows, std::int64_t column) {
  BRAMBLE_UNROLL
  for (int i = 0; i < Rows; ++i) {
    const float* row = row_address(rows[i], column);
    BRAMBLE_UNROLL
    for (int j = 0; j < Vectors; ++j) acc.v[i][j] = vaddq_f32(acc.v[i][j], vld1q_f32(row + 4 * j));
  }
}

/// A tile's columns of the operand with a row a depth step: a packed panel, or listed rows.
template <int Vectors>
struct Panel {
  const float* data;
  const float* at(std::int64_t k) const { return data + k * 4 * Vectors; }
};
struct Listed {
  const float* data;
  const std::int64_t* offsets;
  const float* at(std::int64_t k) const { return row_address(data, offsets[k]); }
};

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
constexpr std::int64_t kFewSteps = 8;

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
