#include <algorithm>

#include "kernels/gemm/gemm.h"
#include "kernels/gemm/narrow_rows_neon.h"
#include "kernels/gemm/shallow_rows_neon.h"
#include "kernels/gemm/tile_neon.h"
#include "kernels/gemm/tile_transit_neon.h"
#include "kernels/gemm/wide_rows_neon.h"

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

/// A product in blocks: some terms of the sums, some of the columns, which are last those that are taken 16 at a time.
struct Blocks {
  const GemmRows& product;
  const GemmEpilogue& epilogue;
  std::int64_t step;        // of the depth
  std::int64_t depth_step;  // after which sums break
  std::int64_t group;       // columns
  std::int64_t wide;        // columns, the last ones

  // A passes by once for each group of columns: a step of its depth at a time if all of it leaves L2 too little room,
  // as long as C, which then comes and goes once a step, stays there instead. Either way the same bits.
  void run() const {
    const std::int64_t depth = std::max<std::int64_t>(product.depth, 1);
    const bool c_stays = product.rows * depth > kHalfL2Floats && product.rows * product.cols <= kHalfL2Floats;
    const std::int64_t outer_step = c_stays ? step : depth;
    for (std::int64_t begin = 0; begin < depth; begin += outer_step) {
      for (std::int64_t col = 0; col < product.cols;) {
        const std::int64_t last = product.cols - wide;
        // A last panel that is narrow goes with those before it, rather than have A pass by for it.
        const bool all = last - col < group + kGemmTileCols;
        const std::int64_t end = col >= last ? product.cols : all ? last : col + group;
        for (std::int64_t k = begin; k < std::min(begin + outer_step, depth); k += step) {
          if (col < last || wide == 0) {
            multiply(k, col, end);
          } else {
            multiply_last(k, col);
          }
        }
        col = end;
      }
    }
  }

 private:
  Terms terms(std::int64_t k) const { return {k, std::min(k + step, product.depth), depth_step}; }
  TileTask task(const Terms& of) const {
    return {product.c, of.end == product.depth ? epilogue : GemmEpilogue{}, product.accumulate || of.begin > 0};
  }

  BRAMBLE_PAGE_ALIGNED void multiply(std::int64_t k, std::int64_t col, std::int64_t end) const {
    const Terms of = terms(k);
    if (product.rows > kFewRows) return multiply_group(product, task(of), of, col, end);
    gemm::narrow_tiles<kFewRows>(product, task(of), RowTile(product, 0, product.rows), of, col, end, nullptr);
  }
  BRAMBLE_PAGE_ALIGNED void multiply_last(std::int64_t k, std::int64_t col) const {
    const Terms of = terms(k);
    gemm::multiply_wide(product, task(of), of, col, product.cols);
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
  Blocks{product, epilogue, step, depth_step, panels * kGemmTileCols, gemm::wide_columns(product)}.run();
}

}  // namespace bramble::kernels
