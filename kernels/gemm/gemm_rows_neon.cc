#include <algorithm>

#include "kernels/gemm/gemm.h"
#include "kernels/gemm/tile_neon.h"
#include "kernels/gemm/tile_transit_neon.h"

namespace bramble::kernels {
namespace {

using gemm::Accumulators;
using gemm::TileTask;

constexpr int kRows = kGemmRowsTile;
// The last tile, where no more rows than these are left: three rows computed in vain take as long as these.
constexpr int kFewRows = 4;

using Transit = gemm::TileTransit<kRows>;

/// Seven rows of A, and where theirs of C lie. Rows that do not exist are the last one once more.
struct RowTile {
  const float* a[kRows];
  std::int64_t c[kRows];
  std::int64_t count;

  RowTile(const GemmRows& product, std::int64_t first) : count(std::min<std::int64_t>(kRows, product.rows - first)) {
    const float* from = product.a + first * product.a_stride;
    std::int64_t to = first * product.c_stride;
    for (std::int64_t i = 0; i < kRows; ++i) {
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
  gemm::step_rows<0>(acc, steps, b);
  gemm::step_rows<1>(acc, steps, b + 4 * Vectors);
  gemm::step_rows<2>(acc, steps, b + 8 * Vectors);
  gemm::step_rows<3>(acc, steps, b + 12 * Vectors);
}

/// Terms [begin, end) of a block's sums, which break after `step` of them.
struct Terms {
  std::int64_t begin = 0, end = 0, step = 0;
};

/// A tile of fewer columns than twelve, or rows than seven.
template <int Rows, int Vectors>
BRAMBLE_INLINE void narrow_tile(const GemmRows& product, const TileTask& task, const RowTile& rows, const Terms& terms,
                                std::int64_t col, Transit& transit) {
  constexpr std::int64_t kWidth = 4 * Vectors;
  const float* b = product.b + col * product.b_depth + terms.begin * kWidth;
  const bool whole = product.cols - col >= kWidth;
  Accumulators<Rows, Vectors> acc;
  gemm::begin_tile(acc, whole && !transit.in_halves() ? task.start(col) : nullptr);
  const float* a[Rows];
  BRAMBLE_UNROLL
  for (int i = 0; i < Rows; ++i) a[i] = rows.a[i];
  float first_half[Rows * kWidth];
  std::int64_t k = terms.begin;
  if (transit.in_halves()) {
    for (; k < terms.begin + terms.step; k += 4, b += 4 * kWidth) four_steps(acc, a, k, b);
    gemm::store_rows(acc, first_half, gemm::kRowsSideBySide<kWidth>);
    gemm::begin_tile(acc, nullptr);
  }
  for (; k + 4 <= terms.end; k += 4, b += 4 * kWidth) four_steps(acc, a, k, b);
  for (; k < terms.end; ++k, b += kWidth) {
    float32x4_t step[Rows];
    BRAMBLE_UNROLL
    for (int i = 0; i < Rows; ++i) step[i] = vld1q_dup_f32(a[i] + k);
    gemm::step_rows<0>(acc, step, b);
  }
  if (transit.in_halves()) {
    gemm::add_rows(acc, first_half, gemm::kRowsSideBySide<kWidth>);
    if (whole && task.epilogue.bias) gemm::add_rows(acc, task.epilogue.bias + col, gemm::kSameRow);
  }
  if (!whole) return gemm::finish_edge(acc, task, col, rows.c, rows.count, product.cols - col);
  float* const joined = Rows == kRows && Vectors < 3 ? transit.join(col, kWidth, rows.c) : nullptr;
  if (joined)
    return gemm::finish_tile(acc, task, col, rows.c, rows.count, joined, gemm::kRowsSideBySide<gemm::kWaitingStep>);
  gemm::finish_tile(acc, task, col, rows.c, rows.count);
}

template <int Rows>
__attribute__((noinline)) void narrow_tile_of(const GemmRows& product, const TileTask& task, const RowTile& rows,
                                              const Terms& terms, std::int64_t col, Transit& transit) {
  const std::int64_t cols = product.cols - col;
  if (cols > 8) {
    narrow_tile<Rows, 3>(product, task, rows, terms, col, transit);
  } else if (cols > 4) {
    narrow_tile<Rows, 2>(product, task, rows, terms, col, transit);
  } else {
    narrow_tile<Rows, 1>(product, task, rows, terms, col, transit);
  }
}

template <int Rows>
void narrow_tiles(const GemmRows& product, const TileTask& task, const RowTile& rows, const Terms& terms,
                  std::int64_t col, std::int64_t end, Transit& transit) {
  for (; col < end; col += kGemmTileCols) narrow_tile_of<Rows>(product, task, rows, terms, col, transit);
}

/// Columns [col_begin, col_end).
BRAMBLE_INLINE void multiply_group(const GemmRows& product, const TileTask& task, const Terms& terms,
                                   std::int64_t col_begin, std::int64_t col_end) {
  // The bias last, as where the halves of a sum are blocks of their own.
  const bool in_halves = Transit::takes_halves(task.accumulate, terms.end - terms.begin, terms.step);
  Transit transit(task, terms.end - terms.begin, terms.step, in_halves);
  gemm::WholeTile& tile = transit.tile();
  tile.a_step = product.a_stride * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t whole_cols = (col_end - col_begin) / kGemmTileCols * kGemmTileCols;
  for (std::int64_t row = 0; row < product.rows; row += kRows) {
    const RowTile rows(product, row);
    if (rows.count < kRows) {
      if (rows.count <= kFewRows) {
        narrow_tiles<kFewRows>(product, task, rows, terms, col_begin, col_end, transit);
      } else {
        narrow_tiles<kRows>(product, task, rows, terms, col_begin, col_end, transit);
      }
      continue;
    }
    std::int64_t col = col_begin;
    tile.a = rows.a[0] + terms.begin;
    tile.b = product.b + col * product.b_depth + terms.begin * kGemmTileCols;
    for (; col < col_begin + whole_cols; col += kGemmTileCols) {
      transit.begin(col, rows.c);
      gemm::multiply_seven_rows(tile);
      transit.end(col, rows.c);
      tile.b += kGemmTileCols * product.b_depth;
    }
    narrow_tiles<kRows>(product, task, rows, terms, col, col_end, transit);
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
  std::int64_t depth_step;  // after which sums break
  std::int64_t step;        // of the depth
  std::int64_t group;       // columns

  BRAMBLE_PAGE_ALIGNED void run(std::int64_t k, std::int64_t col) const {
    const std::int64_t end = std::min(k + step, product.depth);
    const TileTask task(product.c, end == product.depth ? epilogue : GemmEpilogue{}, product.accumulate || k > 0);
    multiply_group(product, task, {k, end, depth_step}, col, std::min(col + group, product.cols));
  }
};

}  // namespace

void gemm_rows_f32(const GemmRows& product, const GemmEpilogue& epilogue) {
  const std::int64_t depth = std::max<std::int64_t>(product.depth, 1);
  const std::int64_t depth_step = std::clamp<std::int64_t>(product.depth_step, 1, depth);
  const bool in_halves = Transit::takes_halves(product.accumulate, depth, depth_step);
  const std::int64_t step = in_halves && depth <= kGemmRowsDepth ? depth : depth_step;
  const std::int64_t group = std::max<std::int64_t>(1, kGroupFloats / (kGemmTileCols * step)) * kGemmTileCols;
  const Blocks blocks{product, epilogue, depth_step, step, group};
  // A passes by once for each group of columns: a step of its depth at a time if all of it leaves L2 too little room,
  // as long as C, which then comes and goes once a step, stays there instead. Either way the same bits.
  if (product.rows * depth > kHalfL2Floats && product.rows * product.cols <= kHalfL2Floats) {
    for (std::int64_t k = 0; k < depth; k += step)
      for (std::int64_t col = 0; col < product.cols; col += group) blocks.run(k, col);
  } else {
    for (std::int64_t col = 0; col < product.cols; col += group)
      for (std::int64_t k = 0; k < depth; k += step) blocks.run(k, col);
  }
}

}  // namespace bramble::kernels
