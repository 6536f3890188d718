#include <algorithm>

#include "kernels/gemm/gemm.h"
#include "kernels/gemm/tile_neon.h"
#include "kernels/gemm/tile_source.h"
#include "kernels/gemm/tile_transit_neon.h"

namespace bramble::kernels {
namespace {

using gemm::Accumulators;
using gemm::TileTask;

constexpr int kRows = kGemmTileRows;

using Transit = gemm::TileTransit<kRows>;

/// Where a tile's rows are stored.
struct RowOffsets {
  std::int64_t at[kRows];

  RowOffsets(const GemmBlock& block, std::int64_t first, std::int64_t count, std::int64_t stride) {
    if (block.c.row_offsets) {
      for (std::int64_t i = 0; i < kRows; ++i) at[i] = block.c.row_offsets[first + std::min(i, count - 1)];
      return;
    }
    // Without products: at a depth of 64 they would be a fiftieth of the tile's time.
    std::int64_t offset = first * stride;
    if (count == kRows) {
      BRAMBLE_UNROLL
      for (std::int64_t i = 0; i < kRows; ++i, offset += stride) at[i] = offset;
      return;
    }
    for (std::int64_t i = 0; i < kRows; ++i) {
      at[i] = offset;
      if (i + 1 < count) offset += stride;
    }
  }
};

/// Terms of a sum that follow each other without a break.
std::int64_t depth_step(const GemmBlock& block) { return block.depth_step > 0 ? block.depth_step : block.depth; }

/// Rows [first, first + count) and the panel of `Vectors` vectors whose first column is `col`, stored from `to` on.
template <int Vectors>
void narrow_tile(const GemmBlock& block, const TileTask& task, std::int64_t first, std::int64_t count, std::int64_t col,
                 const RowOffsets& rows, std::int64_t to, Transit& transit) {
  constexpr std::int64_t kWidth = 4 * Vectors;
  gemm::TileSource source(block, first, col, kWidth);
  const bool whole = block.c.panel_depth > 0 || block.cols - col >= kWidth;
  Accumulators<kRows, Vectors> acc;
  gemm::begin_tile(acc, whole ? task.start(to) : nullptr);
  const std::int64_t step = depth_step(block);
  float pieces[kRows * kWidth];
  for (std::int64_t begin = 0; begin < block.depth; begin += step) {
    if (begin > 0) {
      if (begin > step) gemm::add_rows(acc, pieces, gemm::kRowsSideBySide<kWidth>);
      gemm::store_rows(acc, pieces, gemm::kRowsSideBySide<kWidth>);
      gemm::begin_tile(acc, nullptr);
    }
    const std::int64_t end = std::min(begin + step, block.depth);
    for (std::int64_t k = begin; k < end; ++k, source.advance(1)) gemm::step_lanes(acc, source.a, source.b);
  }
  if (block.depth > step) gemm::add_rows(acc, pieces, gemm::kRowsSideBySide<kWidth>);
  if (whole) {
    float* const joined = Vectors < 3 && block.c.panel_depth == 0 ? transit.join(to, kWidth, rows.at) : nullptr;
    if (joined)
      return gemm::finish_tile(acc, task, to, rows.at, count, joined, gemm::kRowsSideBySide<gemm::kWaitingStep>);
    return gemm::finish_tile(acc, task, to, rows.at, count);
  }
  gemm::finish_edge(acc, task, to, rows.at, count, block.cols - col);
}

/// A panel that has all its columns; sums break. Not inlined: the registers are whole_tiles'.
__attribute__((noinline)) void whole_tile_in_pieces(const GemmBlock& block, const RowOffsets& rows,
                                                    gemm::TileSource source, std::int64_t to, Transit& transit) {
  transit.begin(to, rows.at);
  transit.run_pieces(block.depth, block.depth_step, [&](std::int64_t steps) {
    source.give(transit.tile());
    gemm::multiply_eight_lanes(transit.tile());
    source.advance(steps);
  });
  transit.end(to, rows.at);
}

/// Where results of column `col`, in a panel `width` wide, are stored from.
std::int64_t column_offset(const GemmBlock& block, std::int64_t col, std::int64_t width) {
  return block.c.panel_depth > 0 ? col * block.c.panel_depth + block.c.first_row * width : col;
}

/// Rows [first, first + count) and the panels of twelve columns in [col, end).
BRAMBLE_INLINE void whole_tiles(const GemmBlock& block, const TileTask& task, std::int64_t first, std::int64_t count,
                                std::int64_t col, std::int64_t end, const RowOffsets& rows, Transit& transit) {
  gemm::TileSource source(block, first, col, kGemmTileCols);
  const std::int64_t next_b = block.b_step ? kGemmTileCols : kGemmTileCols * block.b_depth;
  const std::int64_t next_to = kGemmTileCols * std::max<std::int64_t>(block.c.panel_depth, 1);
  std::int64_t to = column_offset(block, col, kGemmTileCols);
  if (block.depth > depth_step(block) && !transit.in_halves()) {
    for (; col < end; col += kGemmTileCols, to += next_to, source.b += next_b)
      whole_tile_in_pieces(block, rows, source, to, transit);
    return;
  }
  gemm::WholeTile& tile = transit.tile();
  source.give(tile);
  if (block.c.cached && task.plain && count == kRows && !block.c.row_offsets) {
    for (; col < end; col += kGemmTileCols, to += next_to, tile.b += next_b)
      transit.pass(task.c + to + rows.at[0], rows.at[1] - rows.at[0], [&] { gemm::multiply_eight_lanes(tile); });
    return;
  }
  for (; col < end; col += kGemmTileCols, to += next_to, tile.b += next_b) {
    transit.begin(to, rows.at);
    gemm::multiply_eight_lanes(tile);
    transit.end(to, rows.at);
  }
}

// The last panel, from `col` on, which lacks columns; not inlined, as it is but one of a row of tiles.
__attribute__((noinline)) void last_tile(const GemmBlock& block, const TileTask& task, std::int64_t first,
                                         std::int64_t count, std::int64_t col, Transit& transit) {
  const std::int64_t width = round_up(block.cols - col, 4), to = column_offset(block, col, width);
  const RowOffsets rows(block, first, count, block.c.panel_depth > 0 ? width : block.c.row_stride);
  if (width == 12) return narrow_tile<3>(block, task, first, count, col, rows, to, transit);
  if (width == 8) return narrow_tile<2>(block, task, first, count, col, rows, to, transit);
  narrow_tile<1>(block, task, first, count, col, rows, to, transit);
}

// B panels that stay in L1 (36 KiB at a depth of 192) while A's tiles pass by, each multiplied with all of them.
constexpr std::int64_t kGroupFloats = (36 << 10) / sizeof(float);

}  // namespace

BRAMBLE_PAGE_ALIGNED void gemm_block_f32(const GemmBlock& block, const GemmEpilogue& epilogue) {
  const TileTask task(block.c.data, epilogue, block.accumulate);
  Transit transit(task, block.depth, depth_step(block));
  const std::int64_t panel_floats = kGemmTileCols * std::max<std::int64_t>(block.depth, 1);
  const std::int64_t fitting = std::max<std::int64_t>(1, kGroupFloats / panel_floats);
  const std::int64_t group_panels = block.b_group > 0 ? block.b_group : fitting;
  const std::int64_t group = group_panels * kGemmTileCols;
  // A stored panel has all its columns where at most three are pads.
  const bool panels = block.c.panel_depth > 0;
  const std::int64_t whole_cols = (block.cols + (panels ? 3 : 0)) / kGemmTileCols * kGemmTileCols;
  for (std::int64_t begin = 0; begin < block.cols; begin += group) {
    const std::int64_t end = std::min(begin + group, block.cols);
    for (std::int64_t row = 0; row < block.rows; row += kRows) {
      const std::int64_t count = std::min<std::int64_t>(kRows, block.rows - row);
      const RowOffsets rows(block, row, count, panels ? kGemmTileCols : block.c.row_stride);
      whole_tiles(block, task, row, count, begin, std::min(end, whole_cols), rows, transit);
      if (end > whole_cols) last_tile(block, task, row, count, whole_cols, transit);
    }
  }
  transit.flush();
}

void gemm_packed_f32(std::int64_t rows, std::int64_t cols, std::int64_t depth, const float* a, const float* b, float* c,
                     std::int64_t row_stride, bool accumulate, const GemmEpilogue& epilogue) {
  GemmBlock block;
  block.rows = rows;
  block.cols = cols;
  block.depth = depth;
  block.a = a;
  block.b = b;
  block.b_depth = depth;
  block.c.data = c;
  block.c.row_stride = row_stride;
  block.accumulate = accumulate;
  gemm_block_f32(block, epilogue);
}

}  // namespace bramble::kernels
