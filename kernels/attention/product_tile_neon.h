// A register tile of attention's products: which rows it has, and where they and its columns lie. Include from _neon.cc
// files only.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/gemm/tile_neon.h"
#include "kernels/simd/neon.h"

namespace bramble::kernels::attention {
// Of internal linkage though in a header: GCC 12 leaves other tiles out of line where other files might share them.
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

}  // namespace
}  // namespace bramble::kernels::attention
