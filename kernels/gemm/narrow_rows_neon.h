// Tiles of rows in place (gemm_rows_neon.cc) that lack columns of twelve, or rows of seven. Include from _neon.cc files
// only.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/gemm/gemm.h"
#include "kernels/gemm/tile_neon.h"
#include "kernels/gemm/tile_transit_neon.h"

namespace bramble::kernels::gemm {

using RowsTransit = TileTransit<kGemmRowsTile>;

/// The last tile, where no more rows than these are left: three rows computed in vain take as long as these.
inline constexpr int kFewRows = 4;

/// `count` rows of A, at most seven, and where theirs of C lie. Rows that do not exist are the last one once more.
struct RowTile {
  const float* a[kGemmRowsTile];
  std::int64_t c[kGemmRowsTile];
  std::int64_t count;

  RowTile(const GemmRows& product, std::int64_t first, std::int64_t rows) : count(rows) {
    const float* from = product.a + first * product.a_stride;
    std::int64_t to = first * product.c_stride;
    for (std::int64_t i = 0; i < kGemmRowsTile; ++i) {
      a[i] = from;
      c[i] = to;
      if (i + 1 < count) from += product.a_stride, to += product.c_stride;
    }
  }
};

template <int Rows, int Vectors>
BRAMBLE_INLINE void four_steps(Accumulators<Rows, Vectors>& acc, const float* const (&a)[Rows], std::int64_t k,
                               const float* b) {
  float32x4_t steps[Rows];
  BRAMBLE_UNROLL
  for (int i = 0; i < Rows; ++i) steps[i] = vld1q_f32(a[i] + k);
  step_rows<0>(acc, steps, b);
  step_rows<1>(acc, steps, b + 4 * Vectors);
  step_rows<2>(acc, steps, b + 8 * Vectors);
  step_rows<3>(acc, steps, b + 12 * Vectors);
}

/// Terms [begin, end) of a block's sums, which break after each `step` of them within a tile.
struct Terms {
  std::int64_t begin = 0, end = 0, step = 0;
  std::int64_t count() const { return end - begin; }
  bool breaks() const { return step < count(); }
};

/// `transit`, if not null, is that of the tiles at its left.
template <int Rows, int Vectors>
BRAMBLE_INLINE void narrow_tile(const GemmRows& product, const TileTask& task, const RowTile& rows, const Terms& terms,
                                std::int64_t col, RowsTransit* transit) {
  constexpr std::int64_t kWidth = 4 * Vectors;
  const float* b = product.b + col * product.b_depth + terms.begin * kWidth;
  const bool whole = product.cols - col >= kWidth;
  Accumulators<Rows, Vectors> acc;
  begin_tile(acc, whole && !terms.breaks() ? task.start(col) : nullptr);
  const float* a[Rows];
  BRAMBLE_UNROLL
  for (int i = 0; i < Rows; ++i) a[i] = rows.a[i];
  float pieces[Rows * kWidth];
  for (std::int64_t k = terms.begin;;) {
    const bool first = k == terms.begin;
    const std::int64_t end = std::min(k + terms.step, terms.end);
    for (; k + 4 <= end; k += 4, b += 4 * kWidth) four_steps(acc, a, k, b);
    for (; k < end; ++k, b += kWidth) {
      float32x4_t step[Rows];
      BRAMBLE_UNROLL
      for (int i = 0; i < Rows; ++i) step[i] = vld1q_dup_f32(a[i] + k);
      step_rows<0>(acc, step, b);
    }
    if (!first) add_rows(acc, pieces, kRowsSideBySide<kWidth>);
    if (end == terms.end) break;
    store_rows(acc, pieces, kRowsSideBySide<kWidth>);
    begin_tile(acc, nullptr);
  }
  if (terms.breaks() && whole && task.epilogue.bias) add_rows(acc, task.epilogue.bias + col, kSameRow);
  if (!whole) return finish_edge(acc, task, col, rows.c, rows.count, product.cols - col);
  float* const joined = Rows == kGemmRowsTile && Vectors < 3 && transit ? transit->join(col, kWidth, rows.c) : nullptr;
  if (joined) return finish_tile(acc, task, col, rows.c, rows.count, joined, kRowsSideBySide<kWaitingStep>);
  finish_tile(acc, task, col, rows.c, rows.count);
}

template <int Rows>
__attribute__((noinline)) void narrow_tile_of(const GemmRows& product, const TileTask& task, const RowTile& rows,
                                              const Terms& terms, std::int64_t col, RowsTransit* transit) {
  const std::int64_t cols = product.cols - col;
  if (cols > 8) {
    narrow_tile<Rows, 3>(product, task, rows, terms, col, transit);
  } else if (cols > 4) {
    narrow_tile<Rows, 2>(product, task, rows, terms, col, transit);
  } else {
    narrow_tile<Rows, 1>(product, task, rows, terms, col, transit);
  }
}

/// Columns [col, end).
template <int Rows>
void narrow_tiles(const GemmRows& product, const TileTask& task, const RowTile& rows, const Terms& terms,
                  std::int64_t col, std::int64_t end, RowsTransit* transit) {
  for (; col < end; col += kGemmTileCols) narrow_tile_of<Rows>(product, task, rows, terms, col, transit);
}

}  // namespace bramble::kernels::gemm
