#include <algorithm>
#include <utility>
#include <vector>

#include "engine/bind/convolution.h"
#include "engine/bind/product_cuts.h"
#include "engine/bind/weight_update.h"
#include "engine/bind/winograd_conv2d.h"
#include "engine/bind/winograd_cuts.h"
#include "kernels/winograd_conv2d/winograd_conv2d.h"

namespace bramble::engine {
namespace {

using kernels::Conv2dShape;
using kernels::kGemmTileRows;
using kernels::WinogradGradient;
using kernels::WinogradRange;
using winograd::bytes;
using winograd::ceil_div;
using winograd::cut_range;
using winograd::floats;

constexpr std::int64_t kSumsInCache = (1 << 20) / sizeof(float);
// Fewer tiles do not pay for the sums' way through memory, 36 for each weight, nor in L2 for their transform.
constexpr std::int64_t kFewestTilesThroughMemory = 48;
constexpr std::int64_t kFewestTilesInBlocks = 64;

constexpr std::int64_t kTaps = 9;
// Columns of dw that go from the output's transform to the update at a time, through L1.
constexpr std::int64_t kUpdateCols = 24;

struct Task {
  std::int64_t part = 0;
  WinogradRange tiles, rows, cols;
};

// dw in blocks, and as many parts of the tiles as give every core work; the parts' sums are added by a phase of its
// own.
std::vector<Task> cut_blocks(const WinogradGradient& g, std::int64_t parts) {
  std::vector<Task> tasks;
  for (const WinogradRange& tiles : cut_range(g.tiles, parts, 1)) {
    for (const WinogradRange& rows : cut_range(g.x.channels, ceil_div(g.x.channels, g.row_step), kGemmTileRows)) {
      tasks.push_back({static_cast<std::int64_t>(tasks.size()), tiles, rows, {0, g.dy.channels}});
    }
  }
  const std::int64_t row_tasks = static_cast<std::int64_t>(tasks.size()) / parts;
  for (Task& task : tasks) task.part /= row_tasks;
  return tasks;
}

/// The columns of dw, some at a time, to the update: `run(columns, panels)` makes each block of the rows.
template <class Run>
void update_rows(const WeightUpdate& update, const Operands& operands, const Conv2dShape& shape,
                 const WinogradRange& rows, std::int64_t col_step, float* panels, const Run& run) {
  for (std::int64_t col = 0; col < shape.out_channels; col += col_step) {
    const WinogradRange cols{col, std::min(col + col_step, shape.out_channels)};
    run(cols, kernels::GradientPanels(panels, rows.size(), rows.begin, col));
    update.apply(operands, shape.weight(), {0, kTaps, rows.begin, rows.end, cols.begin, cols.end}, panels);
  }
}

Bound bind_in_blocks(const BindContext& context, const Conv2dShape& shape, const WinogradGradient& g) {
  const std::int64_t elements = kernels::packed_weight_elements(shape.weight());
  const std::int64_t row_tasks = ceil_div(g.x.channels, g.row_step);
  const std::int64_t parts =
      std::clamp<std::int64_t>(ceil_div(kTaskGoal, row_tasks), 1, ceil_div(g.tiles, g.tile_step));
  const std::vector<Task> tasks = cut_blocks(g, parts);
  const WeightUpdate update(context);
  const std::int64_t panels_at = kernels::winograd_conv2d_bwd_weight_scratch(g);
  Phase phase;
  phase.tasks = static_cast<std::int64_t>(tasks.size());
  phase.run = [=](const Operands& operands, std::int64_t task, std::byte* thread_scratch) {
    const Task& t = tasks[static_cast<std::size_t>(task)];
    const auto product = [&](const WinogradRange& cols, const kernels::GradientPanels& dw) {
      kernels::winograd_conv2d_bwd_weight_f32(g, operands.in<float>(0), operands.in<float>(1), dw, t.tiles, t.rows,
                                              cols, floats(thread_scratch));
    };
    if (update && parts == 1)
      return update_rows(update, operands, shape, t.rows, g.col_step, floats(thread_scratch) + panels_at, product);
    product(t.cols, parts > 1 ? floats(operands.shared) + t.part * elements : operands.out<float>(0));
  };
  Bound bound;
  bound.phases.push_back(std::move(phase));
  const bool updates_blocks = update && parts == 1;
  bound.thread_scratch = bytes(panels_at + (updates_blocks ? kTaps * g.row_step * g.col_step : 0));
  if (parts > 1) {
    bound.phases.push_back(sum_gradient_parts(context, {}, parts, elements, 0, bound));
    bound.shared_scratch = bytes(parts * elements);
  }
  return bound;
}

// Shared scratch: the transformed x, the transformed dy, the sums.
Bound bind_through_memory(const BindContext& context, const Conv2dShape& shape, const WinogradGradient& g) {
  const std::int64_t gradients_at = g.points() * g.input_stride();
  const std::int64_t sums_at = gradients_at + g.points() * g.gradient_stride();

  const auto tile_tasks = cut_range(g.tiles, kTaskGoal, 1);
  const auto tile_task_count = static_cast<std::int64_t>(tile_tasks.size());
  Phase transform;
  transform.tasks = 2 * tile_task_count;
  transform.run = [=](const Operands& operands, std::int64_t task, std::byte*) {
    const WinogradRange& tiles = tile_tasks[static_cast<std::size_t>(task % tile_task_count)];
    float* shared = floats(operands.shared);
    if (task < tile_task_count) {
      kernels::winograd_bwd_weight_input_f32(g, operands.in<float>(0), tiles, shared);
    } else {
      kernels::winograd_bwd_weight_gradient_f32(g, operands.in<float>(1), tiles, shared + gradients_at);
    }
  };

  Phase multiply;
  multiply.tasks = g.points();
  multiply.run = [=](const Operands& operands, std::int64_t task, std::byte*) {
    float* shared = floats(operands.shared);
    kernels::winograd_bwd_weight_multiply_f32(g, shared, shared + gradients_at, task, shared + sums_at);
  };

  const auto row_tasks = cut_range(g.x.channels, kTaskGoal, 4);
  const WeightUpdate update(context);
  Phase output;
  output.tasks = static_cast<std::int64_t>(row_tasks.size());
  output.run = [=](const Operands& operands, std::int64_t task, std::byte* thread_scratch) {
    const WinogradRange& rows = row_tasks[static_cast<std::size_t>(task)];
    const auto transform_back = [&](const WinogradRange& cols, const kernels::GradientPanels& dw) {
      kernels::winograd_bwd_weight_output_f32(g, floats(operands.shared) + sums_at, rows, cols, dw);
    };
    if (!update) return transform_back({0, g.dy.channels}, operands.out<float>(0));
    update_rows(update, operands, shape, rows, kUpdateCols, floats(thread_scratch), transform_back);
  };

  Bound bound;
  bound.phases = {std::move(transform), std::move(multiply), std::move(output)};
  if (update) bound.thread_scratch = bytes(kTaps * row_tasks.front().size() * kUpdateCols);
  bound.shared_scratch = bytes(sums_at + g.points() * g.sum_stride());
  return bound;
}

// The sums of all points, half in L2 and half in a core's share of L3; larger ones would go to and fro with each block
// of tiles.
bool fits(const WinogradGradient& g) { return g.points() * g.sum_stride() <= kSumsInCache; }

}  // namespace

bool takes_winograd_bwd_weight(const Conv2dShape& shape) {
  if (!has_winograd_channels(shape)) return false;
  const WinogradGradient g = kernels::winograd_conv2d_bwd_weight(shape, kWinogradGradientTile);
  return g.tiles >= (fits(g) ? kFewestTilesInBlocks : kFewestTilesThroughMemory);
}

Bound bind_winograd_conv2d_bwd_weight(const BindContext& context, const Conv2dShape& shape) {
  const WinogradGradient g = kernels::winograd_conv2d_bwd_weight(shape, kWinogradGradientTile);
  Bound bound = fits(g) ? bind_in_blocks(context, shape, g) : bind_through_memory(context, shape, g);
  if (context.has_output(1)) bound.phases.push_back(bias_gradient_phase(shape, {}));
  return bound;
}

}  // namespace bramble::engine
