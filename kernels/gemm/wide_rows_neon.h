// The last columns of rows in place (gemm_rows_neon.cc) where the last panel of B is narrower than twelve: by 16, five
// rows at a time, as products of seven rows with four columns would take a seventh longer than their multiply-adds.
// Include from _neon.cc files only.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/gemm/gemm.h"
#include "kernels/gemm/narrow_rows_neon.h"
#include "kernels/gemm/tile_transit_neon.h"

namespace bramble::kernels::gemm {

inline constexpr int kWideRows = kGemmWideTileRows;
inline constexpr std::int64_t kWideCols = kGemmWideTileCols;

/// The last columns that are taken so.
inline std::int64_t wide_columns(const GemmRows& product) {
  const std::int64_t cols = gemm_rows_wide_cols(product.cols);
  const bool whole_rows = product.rows % kWideRows == 0 || (cols == product.cols && product.rows > 4 * kWideRows);
  return whole_rows && product.depth > 0 && product.depth % 4 == 0 ? cols : 0;
}

/// Where 16 columns of B lie, from `col` on, at a block's first term.
struct WideSource {
  WideSource() = default;
  WideSource(const GemmRows& product, std::int64_t col, std::int64_t term) {
    const auto vector = [&](std::int64_t at, const float*& place) {
      const std::int64_t panel = at / kGemmTileCols * kGemmTileCols;
      const std::int64_t width = std::min(kGemmTileCols, product.cols - panel);
      place = product.b + panel * product.b_depth + term * width + (at - panel);
      return width * static_cast<std::int64_t>(sizeof(float));
    };
    vector(col, first);
    third_step = vector(col + 8, third);
    fourth_step = vector(col + 12, fourth);
  }
  void give(WholeTile& tile) const {
    tile.b = first;
    tile.third = third;
    tile.third_step = third_step;
    tile.fourth = fourth;
    tile.fourth_step = fourth_step;
  }
  const float *first, *third, *fourth;
  std::int64_t third_step, fourth_step;
};

/// Columns [begin, end), which are wide_columns.
BRAMBLE_INLINE void multiply_wide(const GemmRows& product, const TileTask& task, const Terms& terms, std::int64_t begin,
                                  std::int64_t end) {
  TileTransit<kWideRows, kWideCols> transit(task, terms.count(), terms.step, terms.breaks());
  WholeTile& tile = transit.tile();
  tile.a_step = product.a_stride * static_cast<std::int64_t>(sizeof(float));
  WideSource sources[2];
  for (std::int64_t col = begin; col < end; col += kWideCols)
    sources[(col - begin) / kWideCols] = WideSource(product, col, terms.begin);
  std::int64_t row = 0;
  for (; row + kWideRows <= product.rows; row += kWideRows) {
    const RowTile rows(product, row, kWideRows);
    tile.a = rows.a[0] + terms.begin;
    const WideSource* source = sources;
    for (std::int64_t col = begin; col < end; col += kWideCols, ++source) {
      source->give(tile);
      transit.begin(col, rows.c);
      multiply_five_rows(tile);
      transit.end(col, rows.c);
    }
  }
  transit.flush();
  if (row == product.rows) return;
  narrow_tiles<kFewRows>(product, task, RowTile(product, row, product.rows - row), terms, begin, end, nullptr);
}

}  // namespace bramble::kernels::gemm
