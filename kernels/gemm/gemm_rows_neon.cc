#include <algorithm>

#include "kernels/gemm/gemm.h"
#include "kernels/gemm/tile_neon.h"

namespace bramble::kernels {
namespace {

using gemm::Accumulators;
using gemm::TileTask;

constexpr int kRows = kGemmRowsTile;

/// Seven rows of A, and where theirs of C lie. Rows that do not exist are the last one once more.
struct RowTile {
  const float* a[kRows];
  std::int64_t c[kRows];
  std::int64_t count;

  RowTile(const GemmRows& product, std::int64_t first) : count(std::min<std::int64_t>(kRows, product.rows - first)) {
    for (std::int64_t i = 0; i < kRows; ++i) {
      const std::int64_t row = first + std::min(i, count - 1);
      a[i] = product.a + row * product.a_stride;
      c[i] = row * product.c_stride;
    }
  }
};

// Four steps a turn: 84 FMAs take 42 cycles of the two pipes, the turn's 19 loads 10 of theirs, all 103 instructions 26
// of the decoder.
template <int Vectors>
BRAMBLE_INLINE void multiply(Accumulators<kRows, Vectors>& acc, const float* const* rows, std::int64_t begin,
                             std::int64_t end, const float* b) {
  const float* a[kRows];
  BRAMBLE_UNROLL
  for (int i = 0; i < kRows; ++i) a[i] = rows[i];
  std::int64_t k = begin;
  for (; k + 4 <= end; k += 4, b += 16 * Vectors) {
    float32x4_t steps[kRows];
    BRAMBLE_UNROLL
    for (int i = 0; i < kRows; ++i) steps[i] = vld1q_f32(a[i] + k);
    gemm::step_rows<0>(acc, steps, b);
    gemm::step_rows<1>(acc, steps, b + 4 * Vectors);
    gemm::step_rows<2>(acc, steps, b + 8 * Vectors);
    gemm::step_rows<3>(acc, steps, b + 12 * Vectors);
  }
  for (; k < end; ++k, b += 4 * Vectors) {
    float32x4_t step[kRows];
    BRAMBLE_UNROLL
    for (int i = 0; i < kRows; ++i) step[i] = vld1q_dup_f32(a[i] + k);
    gemm::step_rows<0>(acc, step, b);
  }
}

template <int Vectors>
void tile(const GemmRows& product, const TileTask& task, const RowTile& rows, std::int64_t begin, std::int64_t end,
          std::int64_t col) {
  constexpr std::int64_t kWidth = 4 * Vectors;
  const bool whole = product.cols - col >= kWidth;
  Accumulators<kRows, Vectors> acc;
  gemm::begin_tile(acc, whole ? task.start(col) : nullptr);
  multiply(acc, rows.a, begin, end, product.b + col * product.b_depth + begin * kWidth);
  if (whole) return gemm::finish_tile(acc, task, col, rows.c, rows.count);
  gemm::finish_edge(acc, task, col, rows.c, rows.count, product.cols - col);
}

/// Terms [begin, end) of the sums of columns [col_begin, col_end).
void multiply_group(const GemmRows& product, const TileTask& task, std::int64_t begin, std::int64_t end,
                    std::int64_t col_begin, std::int64_t col_end) {
  for (std::int64_t row = 0; row < product.rows; row += kRows) {
    const RowTile rows(product, row);
    for (std::int64_t col = col_begin; col < col_end; col += kGemmTileCols) {
      switch (std::min(kGemmTileCols, round_up(product.cols - col, 4)) / 4) {
        case 1:
          tile<1>(product, task, rows, begin, end, col);
          break;
        case 2:
          tile<2>(product, task, rows, begin, end, col);
          break;
        default:
          tile<3>(product, task, rows, begin, end, col);
          break;
      }
    }
  }
}

// B panels that stay in L1 while A's rows pass by, each multiplied with all of them.
constexpr std::int64_t kGroupFloats = (36 << 10) / sizeof(float);

}  // namespace

void gemm_rows_f32(const GemmRows& product, const GemmEpilogue& epilogue) {
  const std::int64_t step = std::clamp<std::int64_t>(product.depth_step, 1, std::max<std::int64_t>(product.depth, 1));
  const std::int64_t group = std::max<std::int64_t>(1, kGroupFloats / (kGemmTileCols * step)) * kGemmTileCols;
  for (std::int64_t col = 0; col < product.cols; col += group) {
    const std::int64_t col_end = std::min(col + group, product.cols);
    std::int64_t k = 0;
    do {
      const std::int64_t end = std::min(k + step, product.depth);
      const TileTask task(product.c, end == product.depth ? epilogue : GemmEpilogue{}, k > 0);
      multiply_group(product, task, k, end, col, col_end);
      k = end;
    } while (k < product.depth);
  }
}

}  // namespace bramble::kernels
