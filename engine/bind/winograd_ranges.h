// How a Winograd convolution's result is cut, and the channel sums that are taken of it on the way.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/bind/channel_sums.h"
#include "engine/bind/product_cuts.h"
#include "engine/bind/winograd_cuts.h"
#include "kernels/winograd_conv2d/winograd_conv2d.h"

namespace bramble::engine {

/// The result's channel sums.
struct WinogradSums {
  std::int64_t parts = 0;                ///< 0: nobody reads them
  int output = 2;                        ///< the node's output that they are
  std::optional<BackwardSums> backward;  ///< given: they are a BatchNorm's backward's
};

namespace winograd {

/// A whole number of tasks for each of four cores.
inline std::int64_t task_count(std::int64_t at_least) { return kernels::round_up(std::max(at_least, kTaskGoal), 4); }

}  // namespace winograd

/// The result in ranges of tiles, each in blocks of about `step`. Where its channel sums are taken on the way they are
/// whole rows of tiles, whose pixels lie side by side, or else whole groups of eight, as the GEMM takes them.
class WinogradRanges {
 public:
  WinogradRanges(const kernels::WinogradConv2d& conv, const WinogradSums& sums, std::int64_t step)
      : tiles_(conv.result), sums_(sums) {
    const std::int64_t unit = sums.parts > 0 ? tiles_.tiles_x : kernels::kGemmTileRows;
    step_ = std::max(step / unit, std::int64_t{1}) * unit;
    const std::int64_t wanted = winograd::task_count(winograd::ceil_div(conv.tiles, step_));
    ranges_ = winograd::cut_range(conv.tiles, sums.parts > 0 ? std::min(sums.parts, wanted) : wanted, unit);
    // The large ones first: the small ones even out what four cores have left.
    std::stable_sort(
        ranges_.begin(), ranges_.end(),
        [](const kernels::WinogradRange& a, const kernels::WinogradRange& b) { return a.size() > b.size(); });
  }

  std::int64_t count() const { return static_cast<std::int64_t>(ranges_.size()); }

  /// Calls run(block) for all blocks of a task, and takes each one's sums.
  template <class Run>
  void for_each_block(const Operands& operands, std::int64_t task, Run run) const {
    clear(operands, task);
    const kernels::WinogradRange& range = ranges_[static_cast<std::size_t>(task)];
    for (std::int64_t tile = range.begin; tile < range.end; tile += step_) {
      const kernels::WinogradBlock block{tile, std::min(tile + step_, range.end), 0, tiles_.channels};
      run(block);
      if (sums_.parts == 0) continue;
      const PartSums sums(operands.out<double>(sums_.output), task, tiles_.channels);
      float* const result = operands.out<float>(0);
      const std::int64_t begin = pixel(block.tile_begin), end = pixel(block.tile_end);
      if (sums_.backward) {
        sums_.backward->add(operands, sums, result, begin, end, 0, tiles_.channels);
      } else {
        sums.add(result, begin, end, 0, tiles_.channels);
      }
    }
  }

 private:
  // The parts that no task takes are the first one's to clear.
  void clear(const Operands& operands, std::int64_t task) const {
    if (sums_.parts == 0) return;
    double* all = operands.out<double>(sums_.output);
    clear_parts(all, task, task + 1, tiles_.channels);
    if (task == 0) clear_parts(all, count(), sums_.parts, tiles_.channels);
  }

  // The first pixel of a row of tiles.
  std::int64_t pixel(std::int64_t tile) const {
    const std::int64_t row = tile / tiles_.tiles_x;
    const std::int64_t image = row / tiles_.tiles_y, y = row % tiles_.tiles_y * tiles_.step;
    return (image * tiles_.height + y) * tiles_.width;
  }

  kernels::WinogradTiles tiles_;
  WinogradSums sums_;
  std::int64_t step_ = 0;
  std::vector<kernels::WinogradRange> ranges_;
};

}  // namespace bramble::engine
