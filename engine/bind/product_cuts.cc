#include "engine/bind/product_cuts.h"

#include <algorithm>

namespace bramble::engine {
namespace {

using kernels::kGemmTileCols;
using kernels::kGemmTileRows;
using kernels::round_up;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Packing a row costs about as much as four columns' arithmetic: narrower slices would spend a tenth on it.
constexpr std::int64_t kNarrowest = 4 * kGemmTileCols;
// Each B panel is fetched once a slice: lower ones would wait for memory.
constexpr std::int64_t kLowest = 3 * kGemmTileRows;
// A part's sum is written and read once more: short parts would spend their time on that, unless they stay in L3.
constexpr std::int64_t kShallowest = 512;
constexpr std::int64_t kDeepEnough = 2048;
constexpr std::int64_t kPartsInCache = (2 << 20) / sizeof(float);

}  // namespace

void cut_product(std::int64_t rows, std::int64_t cols, std::int64_t goal, const kernels::ConvBlocking& blocking,
                 ProductTask prototype, std::vector<ProductTask>& tasks) {
  if (rows == 0) return;
  std::int64_t row_tasks = ceil_div(rows, blocking.rows);
  const std::int64_t col_tasks = std::clamp<std::int64_t>(ceil_div(goal, row_tasks), 1, ceil_div(cols, kNarrowest));
  row_tasks = std::max(row_tasks, std::min(ceil_div(goal, col_tasks), ceil_div(rows, kLowest)));
  const std::int64_t row_step = round_up(ceil_div(rows, row_tasks), kGemmTileRows);
  const std::int64_t col_step = round_up(ceil_div(cols, col_tasks), kGemmTileCols);
  // Neighbouring tasks run at the same time: those of the same columns share their B panels in L3.
  for (std::int64_t col = 0; col < cols; col += col_step) {
    for (std::int64_t row = 0; row < rows; row += row_step) {
      prototype.slice.row_begin = row;
      prototype.slice.row_end = std::min(row + row_step, rows);
      prototype.slice.col_begin = col;
      prototype.slice.col_end = std::min(col + col_step, cols);
      tasks.push_back(prototype);
    }
  }
}

GradientCuts cut_gradient(std::int64_t rows, std::int64_t cols, std::int64_t depth, std::int64_t groups,
                          const kernels::ConvBlocking& blocking) {
  GradientCuts cuts;
  const std::int64_t goal = ceil_div(kTaskGoal, groups);
  const std::int64_t elements = groups * kernels::gemm_b_elements(rows, cols);
  const std::int64_t affordable = std::max({std::int64_t{1}, kPartsInCache / elements, depth / kDeepEnough});
  cuts.parts = std::clamp<std::int64_t>(std::min(goal, depth / kShallowest), 1, affordable);
  const std::int64_t row_tasks =
      std::clamp<std::int64_t>(ceil_div(goal, cuts.parts), 1, ceil_div(rows, blocking.rows / 2));
  const std::int64_t col_tasks =
      std::clamp<std::int64_t>(ceil_div(goal, cuts.parts * row_tasks), 1, ceil_div(cols, kNarrowest));
  const std::int64_t row_step = round_up(ceil_div(rows, row_tasks), kGemmTileRows);
  const std::int64_t col_step = round_up(ceil_div(cols, col_tasks), kGemmTileCols);
  for (std::int64_t part = 0; part < cuts.parts; ++part) {
    for (std::int64_t group = 0; group < groups; ++group) {
      for (std::int64_t col = 0; col < cols; col += col_step) {
        for (std::int64_t row = 0; row < rows; row += row_step) {
          cuts.tasks.push_back({part, depth * part / cuts.parts, depth * (part + 1) / cuts.parts,
                                {group, row, std::min(row + row_step, rows), col, std::min(col + col_step, cols)}});
        }
      }
    }
  }
  return cuts;
}

}  // namespace bramble::engine
