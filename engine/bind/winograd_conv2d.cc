#include "engine/bind/winograd_conv2d.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "engine/bind/activation.h"
#include "engine/bind/product_cuts.h"
#include "engine/bind/winograd_cuts.h"
#include "engine/bind/winograd_ranges.h"
#include "graph/ops/conv2d.h"
#include "kernels/winograd_conv2d/winograd_conv2d.h"

namespace bramble::engine {
namespace {

using kernels::Conv2dShape;
using kernels::kGemmTileCols;
using kernels::kGemmTileRows;
using kernels::WinogradBlock;
using kernels::WinogradConv2d;
using kernels::WinogradRange;
using kernels::WinogradTile;

using winograd::bytes;
using winograd::ceil_div;
using winograd::cut_range;
using winograd::floats;
using winograd::task_count;

// In blocks each element of the weight's points is fetched from beyond L2 once a block of tiles. With 24 tiles to serve
// four cores at 11 GB/s would wait for it as long as they multiply.
constexpr std::int64_t kFewestTilesInBlocks = 32;
// Through memory so few tiles do not pay for the transformed weight, 16 or 36 floats for 9, written and read once.
constexpr std::int64_t kFewestTilesOfTwo = 96;
constexpr std::int64_t kFewestTilesOfFour = 24;
// A point's inputs that one task multiplies: 256 KiB stay in L2 while its weights pass.
constexpr std::int64_t kTaskInputs = 64 << 10;

const float* optional_in(const Operands& operands, int i, bool present) {
  return present ? operands.in<float>(i) : nullptr;
}

// What differs between forward and by data.
struct Pass {
  WinogradConv2d conv;
  void (*transform_weight)(const WinogradConv2d&, const float*, std::int64_t, std::int64_t, float*) = nullptr;
  std::function<kernels::GemmEpilogue(const Operands&)> epilogue;
  WinogradSums sums;
};

// Whether enough tiles' points fit L2.
bool fits(const WinogradConv2d& conv) { return conv.tile_step >= kFewestTilesInBlocks; }

bool pays(const WinogradConv2d& conv) {
  return conv.tiles >= (conv.tile == WinogradTile::two ? kFewestTilesOfTwo : kFewestTilesOfFour);
}

// The transformed weight at the beginning of the shared scratch.
Phase weight_phase(const Pass& pass) {
  const auto tasks = cut_range(pass.conv.result.channels, pass.conv.result.channels, kGemmTileCols);
  Phase phase;
  phase.tasks = static_cast<std::int64_t>(tasks.size());
  phase.run = [conv = pass.conv, transform = pass.transform_weight, tasks](const Operands& operands, std::int64_t task,
                                                                           std::byte*) {
    const WinogradRange& cols = tasks[static_cast<std::size_t>(task)];
    transform(conv, operands.in<float>(1), cols.begin, cols.end, floats(operands.shared));
  };
  return phase;
}

Bound bind_in_blocks(const Pass& pass) {
  const WinogradConv2d& conv = pass.conv;
  const WinogradRanges ranges(conv, pass.sums, conv.tile_step);
  Phase phase;
  phase.tasks = ranges.count();
  phase.run = [=, epilogue = pass.epilogue](const Operands& operands, std::int64_t task, std::byte* thread_scratch) {
    ranges.for_each_block(operands, task, [&](const WinogradBlock& block) {
      kernels::winograd_conv2d_f32(conv, operands.in<float>(0), floats(operands.shared), operands.out<float>(0),
                                   epilogue(operands), block, floats(thread_scratch));
    });
  };
  Bound bound;
  bound.phases = {weight_phase(pass), std::move(phase)};
  bound.shared_scratch = bytes(conv.points() * conv.weight_stride());
  bound.thread_scratch = bytes(kernels::winograd_conv2d_scratch(conv));
  return bound;
}

// Shared scratch: the transformed weight, the inputs, the sums.
Bound bind_through_memory(const Pass& pass) {
  const WinogradConv2d& conv = pass.conv;
  const std::int64_t inputs_at = conv.points() * conv.weight_stride();
  const std::int64_t sums_at = inputs_at + conv.points() * conv.input_stride();

  const auto tile_tasks = cut_range(conv.tiles, task_count(0), kGemmTileRows);
  Phase transform = weight_phase(pass);
  const std::int64_t weight_tasks = transform.tasks;
  transform.tasks += static_cast<std::int64_t>(tile_tasks.size());
  transform.run = [=, run = transform.run](const Operands& operands, std::int64_t task, std::byte* thread_scratch) {
    if (task < weight_tasks) return run(operands, task, thread_scratch);
    const WinogradRange& tiles = tile_tasks[static_cast<std::size_t>(task - weight_tasks)];
    kernels::winograd_input_f32(conv, operands.in<float>(0), tiles.begin, tiles.end,
                                floats(operands.shared) + inputs_at);
  };

  const auto row_tasks = cut_range(conv.tiles, ceil_div(conv.tiles * conv.source.channels, kTaskInputs), kGemmTileRows);
  const auto row_count = static_cast<std::int64_t>(row_tasks.size());
  Phase multiply;
  multiply.tasks = conv.points() * row_count;
  multiply.run = [=](const Operands& operands, std::int64_t task, std::byte*) {
    const WinogradRange& tiles = row_tasks[static_cast<std::size_t>(task % row_count)];
    float* shared = floats(operands.shared);
    kernels::winograd_multiply_f32(conv, shared + inputs_at, shared, task / row_count,
                                   {tiles.begin, tiles.end, 0, conv.result.channels}, shared + sums_at);
  };

  const WinogradRanges ranges(conv, pass.sums, kernels::round_up(conv.tiles, conv.result.tiles_x * kGemmTileRows));
  Phase output;
  output.tasks = ranges.count();
  output.run = [=, epilogue = pass.epilogue](const Operands& operands, std::int64_t task, std::byte*) {
    ranges.for_each_block(operands, task, [&](const WinogradBlock& block) {
      kernels::winograd_output_f32(conv, floats(operands.shared) + sums_at, epilogue(operands), block,
                                   operands.out<float>(0));
    });
  };

  Bound bound;
  bound.phases = {std::move(transform), std::move(multiply), std::move(output)};
  bound.shared_scratch = bytes(sums_at + conv.points() * conv.sum_stride());
  return bound;
}

Bound bind_pass(const Pass& pass) { return fits(pass.conv) ? bind_in_blocks(pass) : bind_through_memory(pass); }

}  // namespace

std::optional<WinogradTile> winograd_fwd_tile(const Conv2dShape& shape, bool frozen) {
  if (!has_winograd_channels(shape)) return {};
  if (frozen && pays(kernels::winograd_conv2d_fwd(shape, kWinogradFrozenTile))) return kWinogradFrozenTile;
  if (pays(kernels::winograd_conv2d_fwd(shape, kWinogradForwardTile))) return kWinogradForwardTile;
  return {};
}

bool takes_winograd_bwd_data(const Conv2dShape& shape) {
  return has_winograd_channels(shape) && pays(kernels::winograd_conv2d_bwd_data(shape, kWinogradGradientTile));
}

Bound bind_winograd_conv2d(const BindContext& context, const Conv2dShape& shape, WinogradTile tile,
                           graph::Activation activation) {
  Pass pass;
  pass.conv = kernels::winograd_conv2d_fwd(shape, tile);
  pass.transform_weight = kernels::winograd_fwd_weight_f32;
  if (context.has_output(2)) pass.sums.parts = context.output(2).shape[0];
  pass.epilogue = [has_bias = context.has_input(2), has_residual = context.has_input(3),
                   kind = to_kernel(activation)](const Operands& operands) {
    return kernels::GemmEpilogue{optional_in(operands, 2, has_bias), optional_in(operands, 3, has_residual),
                                 operands.out<float>(1), kind};
  };
  return bind_pass(pass);
}

Bound bind_winograd_conv2d_bwd_data(const BindContext& context, const Conv2dShape& shape) {
  Pass pass;
  const auto& op = context.op<graph::Conv2dBwdData>();
  if (op.sums_for) {
    const int output = op.channel_sums_output();
    pass.sums = {context.output(output).shape[0], output,
                 BackwardSums(context, op.sums_for, op.backward_sums_input(), shape.in_channels)};
  }
  pass.conv = kernels::winograd_conv2d_bwd_data(shape, kWinogradGradientTile);
  pass.transform_weight = kernels::winograd_bwd_data_weight_f32;
  pass.epilogue = [has_addend = context.has_input(2)](const Operands& operands) {
    kernels::GemmEpilogue epilogue;
    epilogue.residual = optional_in(operands, 2, has_addend);
    return epilogue;
  };
  return bind_pass(pass);
}

}  // namespace bramble::engine
