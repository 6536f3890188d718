#include <algorithm>

#include "kernels/gemm/gemm.h"
#include "kernels/gemm/narrow_rows_neon.h"
#include "kernels/gemm/shallow_rows_neon.h"
#include "kernels/gemm/tile_neon.h"
#include "kernels/gemm/tile_transit_neon.h"

namespace bramble::kernels {
namespace {

using gemm::kFewRows;
using gemm::RowsTransit;
using gemm::RowTile;
using gemm::Terms;
using gemm::TileTask;

constexpr int kRows = kGemmRowsTile;

/// Seven rows times columns [col, end).
BRAMBLE_INLINE void multiply_rows(const GemmRows& product, const TileTask& task, const RowTile& rows,
                                  const Terms& terms, std::int64_t col, std::int64_t end, RowsTransit& transit) {
  gemm::WholeTile& tile = transit.tile();
  tile.a = rows.a[0] + terms.begin;
  tile.b = product.b + col * product.b_depth + terms.begin * kGemmTileCols;
  for (; col + kGemmTileCols <= end; col += kGemmTileCols) {
    transit.begin(col, rows.c);
    gemm::multiply_seven_rows(tile);
    transit.end(col, rows.c);
    tile.b += kGemmTileCols * product.b_depth;
  }
  gemm::narrow_tiles<kRows>(product, task, rows, terms, col, end, &transit);
}

/// Columns [col, end).
BRAMBLE_INLINE void multiply_group(const GemmRows& product, const TileTask& task, const Terms& terms, std::int64_t col,
                                   std::int64_t end) {
  // The bias last where sums break, as where their pieces are blocks.
  RowsTransit transit(task, terms.count(), terms.step, terms.breaks());
  transit.tile().a_step = product.a_stride * static_cast<std::int64_t>(sizeof(float));
  for (std::int64_t row = 0, left = product.rows; left > 0; row += kRows, left -= kRows) {
    if (left == kRows + 1) {  // as two tiles of four: the last one would take half as long as seven
      gemm::narrow_tiles<kFewRows>(product, task, RowTile(product, row, kFewRows), terms, col, end, nullptr);
      row += kFewRows, left -= kFewRows;
    }
    const RowTile rows(product, row, std::min<std::int64_t>(kRows, left));
    if (left >= kRows) {
      multiply_rows(product, task, rows, terms, col, end, transit);
    } else if (left <= kFewRows) {
      gemm::narrow_tiles<kFewRows>(product, task, rows, terms, col, end, nullptr);
    } else {
      gemm::narrow_tiles<kRows>(product, task, rows, terms, col, end, nullptr);
    }
  }
  transit.flush();
}

// B panels that stay in L1 while A's rows pass by, each multiplied with all of them.
constexpr std::int64_t kGroupFloats = (36 << 10) / sizeof(float);
// What stays in half of L2.
constexpr std::int64_t kHalfL2Floats = (256 << 10) / sizeof(float);

/// A product in blocks: some terms of the sums, some of the columns.
struct Blocks {
  const GemmRows& product;
  const GemmEpilogue& epilogue;
  std::int64_t step;        // of the depth
  std::int64_t depth_step;  // after which sums break
  std::int64_t group;       // columns

  BRAMBLE_PAGE_ALIGNED void run(std::int64_t k, std::int64_t col) const {
    const Terms terms{k, std::min(k + step, product.depth), depth_step};
    const TileTask task(product.c, terms.end == product.depth ? epilogue : GemmEpilogue{}, product.accumulate || k > 0);
    const std::int64_t end = std::min(col + group, product.cols);
    if (product.rows > kFewRows) return multiply_group(product, task, terms, col, end);
    const RowTile rows(product, 0, product.rows);
    gemm::narrow_tiles<kFewRows>(product, task, rows, terms, col, end, nullptr);
  }
};

}  // namespace

void gemm_rows_f32(const GemmRows& product, const GemmEpilogue& epilogue) {
  if (gemm::takes_shallow_rows(product, epilogue)) return gemm::shallow_rows(product, epilogue);
  const std::int64_t depth = std::max<std::int64_t>(product.depth, 1);
  const std::int64_t depth_step = std::clamp<std::int64_t>(product.depth_step, 1, depth);
  // Where sums can break within a tile, a block has all their terms.
  const bool few_rows = product.rows <= kFewRows && !product.accumulate;
  const bool in_halves = depth <= kGemmRowsDepth && RowsTransit::takes_halves(product.accumulate, depth, depth_step);
  const std::int64_t step = few_rows || in_halves ? depth : depth_step;
  const std::int64_t panels =
      few_rows ? product.cols : std::max<std::int64_t>(1, kGroupFloats / (kGemmTileCols * step));
  const Blocks blocks{product, epilogue, step, depth_step, panels * kGemmTileCols};
  // A passes by once for each group of columns: a step of its depth at a time if all of it leaves L2 too little room,
  // as long as C, which then comes and goes once a step, stays there instead. Either way the same bits.
  if (product.rows * depth > kHalfL2Floats && product.rows * product.cols <= kHalfL2Floats) {
    for (std::int64_t k = 0; k < depth; k += step)
      for (std::int64_t col = 0; col < product.cols; col += blocks.group) blocks.run(k, col);
  } else {
    for (std::int64_t col = 0; col < product.cols; col += blocks.group)
      for (std::int64_t k = 0; k < depth; k += step) blocks.run(k, col);
  }
}

}  // namespace bramble::kernels
