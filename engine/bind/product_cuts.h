// How a matrix product's work is cut into tasks: by shape alone, never by the number of threads.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/conv2d/conv2d.h"

namespace bramble::engine {

/// With four cores and tasks taken as they come, at least this many keep the last one's wait short.
inline constexpr std::int64_t kTaskGoal = 16;

struct ProductTask {
  std::int64_t phase = 0;  ///< of a convolution's gradient by data
  kernels::ConvSlice slice;
};

/// Slices that cover rows x cols of one group's product: row blocks as high as a packed block may be, all columns wide;
/// narrower, then lower, where there would be fewer than `goal` of them.
void cut_product(std::int64_t rows, std::int64_t cols, std::int64_t goal, const kernels::ConvBlocking& blocking,
                 ProductTask prototype, std::vector<ProductTask>& tasks);

struct GradientTask {
  std::int64_t part = 0;
  std::int64_t depth_begin = 0;
  std::int64_t depth_end = 0;
  kernels::ConvSlice slice;
};

/// A weight's gradient: rows x cols, summed over `depth` pixels in `parts` parts that a later phase sums.
struct GradientCuts {
  std::int64_t parts = 1;
  std::vector<GradientTask> tasks;
};

GradientCuts cut_gradient(std::int64_t rows, std::int64_t cols, std::int64_t depth, std::int64_t groups,
                          const kernels::ConvBlocking& blocking);

}  // namespace bramble::engine
