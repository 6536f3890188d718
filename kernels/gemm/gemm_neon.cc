#include <algorithm>

#include "kernels/gemm/gemm.h"
#include "kernels/gemm/tile_neon.h"

namespace bramble::kernels {
namespace {

using gemm::Accumulators;
using gemm::TileTask;

constexpr int kRows = kGemmTileRows;

/// A tile's operands: where its first depth step lies, and how far the next one is.
struct TileSource {
  std::int64_t depth;
  std::int64_t a_step;
  std::int64_t b_step;
};

template <int Vectors>
BRAMBLE_INLINE void multiply(Accumulators<kRows, Vectors>& acc, const TileSource& source, const float* a,
                             const float* b) {
  std::int64_t depth = source.depth;
  // 24 FMAs take 12 cycles of the two pipes, a step's 33 instructions 9 of the decoder; four steps a turn hide the
  // loop itself. Narrow tiles are few, and GCC copies their accumulators about if unrolled.
  for (; Vectors == 3 && depth >= 4; depth -= 4) {
    BRAMBLE_UNROLL
    for (int step = 0; step < 4; ++step, a += source.a_step, b += source.b_step) step_lanes(acc, a, b);
  }
  for (; depth > 0; --depth, a += source.a_step, b += source.b_step) step_lanes(acc, a, b);
}

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
    for (std::int64_t i = 0; i < kRows; ++i) {
      at[i] = offset;
      if (i + 1 < count) offset += stride;
    }
  }
};

/// Rows [first, first + count) and the panel of `Vectors` vectors whose first column is `col`, stored from `to` on.
template <int Vectors>
void tile(const GemmBlock& block, const TileTask& task, std::int64_t first, std::int64_t count, std::int64_t col,
          const RowOffsets& rows, std::int64_t to) {
  constexpr std::int64_t kWidth = 4 * Vectors;
  const float* a = block.a_step ? block.a + first : block.a + first * block.depth;
  const float* b = block.b_step ? block.b + col : block.b + col * block.b_depth + block.b_first * kWidth;
  const TileSource source{block.depth, block.a_step ? block.a_step : kRows, block.b_step ? block.b_step : kWidth};
  const bool whole = block.c.panel_depth > 0 || block.cols - col >= kWidth;
  Accumulators<kRows, Vectors> acc;
  gemm::begin_tile(acc, whole ? task.start(to) : nullptr);
  multiply(acc, source, a, b);
  if (whole) return gemm::finish_tile(acc, task, to, rows.at, count);
  gemm::finish_edge(acc, task, to, rows.at, count, block.cols - col);
}

// The last panel's width follows from the columns that are left.
void tile_of_any_width(const GemmBlock& block, const TileTask& task, std::int64_t first, std::int64_t count,
                       std::int64_t col, const RowOffsets& rows) {
  const bool panels = block.c.panel_depth > 0;
  const std::int64_t width = std::min(kGemmTileCols, round_up(block.cols - col, 4));
  const std::int64_t to = panels ? col * block.c.panel_depth + block.c.first_row * width : col;
  if (width == kGemmTileCols) return tile<3>(block, task, first, count, col, rows, to);
  const RowOffsets narrow(block, first, count, panels ? width : block.c.row_stride);
  if (width == 8) return tile<2>(block, task, first, count, col, narrow, to);
  tile<1>(block, task, first, count, col, narrow, to);
}

// B panels that stay in L1 (36 KiB at a depth of 192) while A's tiles pass by, each multiplied with all of them.
constexpr std::int64_t kGroupFloats = (36 << 10) / sizeof(float);

}  // namespace

BRAMBLE_PAGE_ALIGNED void gemm_block_f32(const GemmBlock& block, const GemmEpilogue& epilogue) {
  const TileTask task(block.c.data, epilogue, block.accumulate);
  const std::int64_t panel_floats = kGemmTileCols * std::max<std::int64_t>(block.depth, 1);
  const std::int64_t fitting = std::max<std::int64_t>(1, kGroupFloats / panel_floats);
  const std::int64_t group_panels = block.b_group > 0 ? block.b_group : fitting;
  const std::int64_t group = group_panels * kGemmTileCols;
  for (std::int64_t begin = 0; begin < block.cols; begin += group) {
    const std::int64_t end = std::min(begin + group, block.cols);
    for (std::int64_t row = 0; row < block.rows; row += kRows) {
      const std::int64_t count = std::min<std::int64_t>(kRows, block.rows - row);
      const RowOffsets rows(block, row, count, block.c.panel_depth > 0 ? kGemmTileCols : block.c.row_stride);
      for (std::int64_t col = begin; col < end; col += kGemmTileCols) {
        tile_of_any_width(block, task, row, count, col, rows);
      }
    }
  }
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
