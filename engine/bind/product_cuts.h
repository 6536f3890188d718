// How a matrix product's work is cut into tasks: by shape alone, never by the number of threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/conv2d/conv2d.h"

namespace bramble::engine {

/// With four cores and tasks taken as they come, at least this many keep the last one's wait short.
inline constexpr std::int64_t kTaskGoal = 16;

/// How a product is cut into row_tasks x col_tasks tasks.
struct EvenCut {
  std::int64_t cols = 0;
  std::int64_t row_tasks = 1;
  std::int64_t col_tasks = 1;

  /// Of `units` units of rows those before range `i`.
  std::int64_t unit(std::int64_t units, std::int64_t i) const { return units * i / row_tasks; }
  /// Where range `i` of the columns begins: whole tiles, ranges differ by one at most.
  std::int64_t col(std::int64_t i) const {
    const std::int64_t tiles = (cols + kernels::kGemmTileCols - 1) / kernels::kGemmTileCols;
    return std::min(cols, tiles * i / col_tasks * kernels::kGemmTileCols);
  }
};

/// The cut that four cores finish first, each taking the next task when it is free, counting what tiles of `tile_rows`
/// rows compute in vain. Ranges of rows end only at `borders`, which ascend from 0 to the number of rows.
EvenCut even_cut(const std::vector<std::int64_t>& borders, std::int64_t cols, std::int64_t groups,
                 std::int64_t tile_rows);

/// Whether by data's tasks had better have all `rows` and transpose the part of the weight that their columns need: of a
/// large weight and few rows, and only where four cores share the columns evenly if the rows are more than a few.
bool transposes_by_columns(std::int64_t rows, std::int64_t cols, std::int64_t weight_elements);

/// Columns of each task where all have all rows: the step, of at most `most` columns, with which four cores finish
/// first.
std::int64_t even_columns(std::int64_t rows, std::int64_t cols, std::int64_t most);

struct ProductTask {
  std::int64_t phase = 0;  ///< of a convolution's gradient by data
  kernels::ConvSlice slice;
};

/// Slices that cover rows x cols of each group's product, even_cut with borders of rows at whole tiles.
void cut_product(std::int64_t rows, std::int64_t cols, std::int64_t groups, std::int64_t tile_rows, std::int64_t phase,
                 std::vector<ProductTask>& tasks);

struct GradientTask {
  std::int64_t part = 0;
  std::int64_t depth_begin = 0;
  std::int64_t depth_end = 0;
  kernels::ConvSlice slice;
};

/// A weight's gradient: rows x cols, summed over `depth` pixels in `parts` parts that a later phase sums.
struct GradientCuts {
  std::int64_t parts = 1;
  bool packs_once = false;  ///< the columns' operand is packed for all tasks before, not by each of them
  std::vector<GradientTask> tasks;
};

GradientCuts cut_gradient(std::int64_t rows, std::int64_t cols, std::int64_t depth, std::int64_t groups,
                          const kernels::ConvBlocking& blocking);

}  // namespace bramble::engine
