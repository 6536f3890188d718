#include "engine/bind/product_cuts.h"

#include <algorithm>
#include <array>

namespace bramble::engine {
namespace {

using kernels::kGemmTileCols;
using kernels::kGemmTileRows;
using kernels::round_up;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Packing a row costs about as much as four columns' arithmetic: narrower slices would spend a tenth on it.
constexpr std::int64_t kNarrowest = 4 * kGemmTileCols;
// A part's sum is written and read once more: short parts would spend their time on that, unless they stay in L3.
constexpr std::int64_t kShallowest = 512;
constexpr std::int64_t kDeepEnough = 2048;
constexpr std::int64_t kPartsInCache = (2 << 20) / sizeof(float);
constexpr std::int64_t kCores = 4;
// What even_cut tries: more tasks than these are no more even.
constexpr std::int64_t kMostRowTasks = 64, kMostColTasks = 16;

// Where more ranges of a gradient's rows than these would each pack the columns' operand, it is packed once for all.
constexpr std::int64_t kPackersOfColumns = 2;
// A row or a column of a gradient's operands waits for memory while it is packed, as long as so many products take;
// once for all, the panels go to memory as well.
constexpr std::int64_t kPackingCost = 24, kPackingOnceCost = 40;

// A weight of a quarter of a core's share of L3, transposed as a whole, goes to memory and back. A task with all rows
// transposes what it needs: 3 % less of 788 rows' time, and none waits for who transposes last. That dy is fetched once
// for each task hides behind products, of 48 columns and more.
constexpr std::int64_t kLargeWeight = (128 << 10) / sizeof(float);
constexpr std::int64_t kFewRows = 256, kMoreRows = 1024;

// What a task takes, in elements of C: whole tiles, the rows' packing or first reading, and the panels of B, which it
// fetches once.
std::int64_t task_cost(std::int64_t rows, std::int64_t cols, std::int64_t tile_rows) {
  return (round_up(rows, tile_rows) + 3) * (round_up(cols, kGemmTileCols) + 4);
}

// Tasks dealt to four cores, each to the one that is free first.
struct Dealt {
  std::array<std::int64_t, kCores> cores{};
  std::int64_t largest = 0;

  void deal(std::int64_t cost) {
    *std::min_element(cores.begin(), cores.end()) += cost;
    largest = std::max(largest, cost);
  }
  // A core that something else holds up leaves its share of the last round to wait for: small tasks make that short.
  std::int64_t cost() const { return *std::max_element(cores.begin(), cores.end()) + largest / 16; }
};

// The cut that four cores finish first, of up to most_row_tasks ranges of rows. cost(rows, cols, row_tasks) is a
// task's, before(row_tasks) what each core does before.
template <class Cost, class Before>
EvenCut search_cut(const std::vector<std::int64_t>& borders, std::int64_t cols, std::int64_t groups,
                   std::int64_t most_row_tasks, const Cost& cost, const Before& before) {
  const auto units = static_cast<std::int64_t>(borders.size()) - 1;
  const std::int64_t most_col_tasks = std::clamp<std::int64_t>(ceil_div(cols, kNarrowest), 1, kMostColTasks);
  EvenCut best;
  std::int64_t best_cost = -1;
  for (std::int64_t c = 1; c <= most_col_tasks; ++c) {
    for (std::int64_t r = 1; r <= std::min(units, most_row_tasks); ++r) {
      const EvenCut cut{cols, r, c};
      Dealt dealt;
      for (std::int64_t group = 0; group < groups; ++group)
        for (std::int64_t col = 0; col < c; ++col)
          for (std::int64_t i = 0; i < r; ++i) {
            const std::int64_t rows = borders[static_cast<std::size_t>(cut.unit(units, i + 1))] -
                                      borders[static_cast<std::size_t>(cut.unit(units, i))];
            dealt.deal(cost(rows, cut.col(col + 1) - cut.col(col), r));
          }
      const std::int64_t whole = before(r) + dealt.cost();
      if (best_cost >= 0 && whole >= best_cost) continue;
      best = cut;
      best_cost = whole;
    }
  }
  return best;
}

// Borders of rows at whole tiles.
std::vector<std::int64_t> tile_borders(std::int64_t rows, std::int64_t tile_rows) {
  std::vector<std::int64_t> borders;
  for (std::int64_t row = 0; row < rows; row += tile_rows) borders.push_back(row);
  borders.push_back(rows);
  return borders;
}

}  // namespace

EvenCut even_cut(const std::vector<std::int64_t>& borders, std::int64_t cols, std::int64_t groups,
                 std::int64_t tile_rows) {
  return search_cut(
      borders, cols, groups, kMostRowTasks,
      [&](std::int64_t rows, std::int64_t width, std::int64_t) { return task_cost(rows, width, tile_rows); },
      [](std::int64_t) { return std::int64_t{0}; });
}

bool transposes_by_columns(std::int64_t rows, std::int64_t cols, std::int64_t weight_elements) {
  if (weight_elements < kLargeWeight || rows > kMoreRows) return false;
  return rows <= kFewRows || kCores * round_up(ceil_div(cols, kCores), kGemmTileCols) <= cols + cols / 20;
}

std::int64_t even_columns(std::int64_t rows, std::int64_t cols, std::int64_t most) {
  const std::int64_t fewest = ceil_div(cols, most / kGemmTileCols * kGemmTileCols);
  std::int64_t best = 0, best_cost = 0;
  for (std::int64_t count = fewest; count < fewest + kMostColTasks; ++count) {
    const std::int64_t step = round_up(ceil_div(cols, count), kGemmTileCols);
    Dealt dealt;
    for (std::int64_t col = 0; col < cols; col += step)
      dealt.deal(task_cost(rows, std::min(step, cols - col), kGemmTileRows));
    if (best > 0 && dealt.cost() >= best_cost) continue;
    best = step;
    best_cost = dealt.cost();
  }
  return best;
}

void cut_product(std::int64_t rows, std::int64_t cols, std::int64_t groups, std::int64_t tile_rows, std::int64_t phase,
                 std::vector<ProductTask>& tasks) {
  if (rows == 0) return;
  const std::vector<std::int64_t> borders = tile_borders(rows, tile_rows);
  const auto units = static_cast<std::int64_t>(borders.size()) - 1;
  const EvenCut cut = even_cut(borders, cols, std::min(groups, kCores), tile_rows);
  // Neighbouring tasks run at the same time: those of the same columns share their B panels in L3.
  for (std::int64_t group = 0; group < groups; ++group)
    for (std::int64_t col = 0; col < cut.col_tasks; ++col)
      for (std::int64_t i = 0; i < cut.row_tasks; ++i)
        tasks.push_back({phase,
                         {group, borders[static_cast<std::size_t>(cut.unit(units, i))],
                          borders[static_cast<std::size_t>(cut.unit(units, i + 1))], cut.col(col), cut.col(col + 1)}});
}

GradientCuts cut_gradient(std::int64_t rows, std::int64_t cols, std::int64_t depth, std::int64_t groups,
                          const kernels::ConvBlocking& blocking) {
  GradientCuts cuts;
  const std::int64_t goal = ceil_div(kTaskGoal, groups);
  const std::int64_t elements = groups * kernels::gemm_b_elements(rows, cols);
  const std::int64_t affordable = std::max({std::int64_t{1}, kPartsInCache / elements, depth / kDeepEnough});
  cuts.parts = std::clamp<std::int64_t>(std::min(goal, depth / kShallowest), 1, affordable);
  const std::vector<std::int64_t> borders = tile_borders(rows, kGemmTileRows);
  const auto units = static_cast<std::int64_t>(borders.size()) - 1;
  const auto packs_once = [&](std::int64_t row_tasks) { return groups == 1 && row_tasks > kPackersOfColumns; };
  const auto cost = [&](std::int64_t height, std::int64_t width, std::int64_t row_tasks) {
    const std::int64_t whole = height * round_up(width, kGemmTileCols);
    if (packs_once(row_tasks)) return whole + kPackingCost * height;
    return whole + kPackingCost * (height * ceil_div(width, blocking.gradient_cols) + width);
  };
  const auto before = [&](std::int64_t row_tasks) {
    return packs_once(row_tasks) ? cuts.parts * kPackingOnceCost * cols / kCores : 0;
  };
  const EvenCut cut =
      search_cut(borders, cols, cuts.parts * std::min(groups, kCores), ceil_div(rows, blocking.rows / 2), cost, before);
  cuts.packs_once = packs_once(cut.row_tasks);
  for (std::int64_t part = 0; part < cuts.parts; ++part)
    for (std::int64_t group = 0; group < groups; ++group)
      for (std::int64_t col = 0; col < cut.col_tasks; ++col)
        for (std::int64_t i = 0; i < cut.row_tasks; ++i)
          cuts.tasks.push_back(
              {part,
               depth * part / cuts.parts,
               depth * (part + 1) / cuts.parts,
               {group, borders[static_cast<std::size_t>(cut.unit(units, i))],
                borders[static_cast<std::size_t>(cut.unit(units, i + 1))], cut.col(col), cut.col(col + 1)}});
  return cuts;
}

}  // namespace bramble::engine
