#include "engine/bind/convolution.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/bind/activation.h"
#include "engine/bind/product_cuts.h"

namespace bramble::engine {
namespace {

using kernels::Conv2dShape;
using kernels::ConvBlocking;

// Columns that a task transposes at a time, a depth block high: 144 KiB.
constexpr std::int64_t kMostTransposedCols = 192;

ConvBlocking blocking_of(const BindContext& context) { return kernels::conv_blocking(context.caches.l2); }

float* floats(std::byte* scratch) { return reinterpret_cast<float*>(scratch); }

std::size_t bytes(std::int64_t float_count) { return static_cast<std::size_t>(float_count) * sizeof(float); }

const float* optional_in(const Operands& operands, int i, bool present) {
  return present ? operands.in<float>(i) : nullptr;
}

}  // namespace

Bound bind_convolution(const BindContext& context, const Conv2dShape& shape, graph::Activation activation) {
  const ConvBlocking blocking = blocking_of(context);
  std::vector<ProductTask> tasks;
  cut_product(shape.out_rows(), shape.out_per_group(), shape.groups, kernels::conv2d_fwd_whole_tiles(shape), 0, tasks);
  const bool has_bias = context.has_input(2), has_residual = context.has_input(3);
  Phase phase;
  phase.tasks = static_cast<std::int64_t>(tasks.size());
  phase.run = [=, kind = to_kernel(activation)](const Operands& operands, std::int64_t task,
                                                std::byte* thread_scratch) {
    const kernels::GemmEpilogue epilogue{optional_in(operands, 2, has_bias), optional_in(operands, 3, has_residual),
                                         operands.out<float>(1), kind};
    kernels::conv2d_fwd_f32(shape, operands.in<float>(0), operands.in<float>(1), operands.out<float>(0), epilogue,
                            tasks[static_cast<std::size_t>(task)].slice, blocking, floats(thread_scratch));
  };
  Bound bound;
  bound.phases.push_back(std::move(phase));
  bound.thread_scratch = bytes(kernels::conv2d_scratch(blocking));
  return bound;
}

bool transposes_on_the_way(const Conv2dShape& shape) {
  return shape.groups == 1 &&
         transposes_by_columns(kernels::conv2d_bwd_data_rows(shape, 0), shape.in_channels,
                               kernels::packed_weight_elements(shape.weight()));
}

std::int64_t transposing_columns(const Conv2dShape& shape) {
  return even_columns(kernels::conv2d_bwd_data_rows(shape, 0), shape.in_channels, kMostTransposedCols);
}

namespace {

Bound bind_transposing_bwd_data(const BindContext& context, const Conv2dShape& shape) {
  const ConvBlocking blocking = blocking_of(context);
  const std::int64_t cols = shape.in_channels, step = transposing_columns(shape);
  std::vector<ProductTask> tasks;
  for (std::int64_t phase = 0; phase < kernels::conv2d_bwd_data_phases(shape); ++phase) {
    const std::int64_t rows = kernels::conv2d_bwd_data_rows(shape, phase);
    for (std::int64_t col = 0; col < cols && rows > 0; col += step)
      tasks.push_back({phase, {0, 0, rows, col, std::min(col + step, cols)}});
  }
  const bool has_addend = context.has_input(2);
  Phase phase;
  phase.tasks = static_cast<std::int64_t>(tasks.size());
  phase.run = [=](const Operands& operands, std::int64_t task, std::byte* thread_scratch) {
    const ProductTask& t = tasks[static_cast<std::size_t>(task)];
    kernels::conv2d_bwd_data_transposing_f32(shape, t.phase, operands.in<float>(0), operands.in<float>(1),
                                             optional_in(operands, 2, has_addend), operands.out<float>(0), t.slice,
                                             blocking, floats(thread_scratch));
  };
  Bound bound;
  bound.phases.push_back(std::move(phase));
  bound.thread_scratch = bytes(kernels::conv2d_bwd_data_transposing_scratch(step, blocking));
  return bound;
}

}  // namespace

Bound bind_convolution_bwd_data(const BindContext& context, const Conv2dShape& shape) {
  if (transposes_on_the_way(shape)) return bind_transposing_bwd_data(context, shape);
  const ConvBlocking blocking = blocking_of(context);
  const std::int64_t phases = kernels::conv2d_bwd_data_phases(shape);
  std::vector<ProductTask> tasks;
  const std::int64_t tile_rows = phases == 1 ? kernels::conv2d_bwd_data_tile_rows(shape) : kernels::kGemmTileRows;
  for (std::int64_t phase = 0; phase < phases; ++phase) {
    cut_product(kernels::conv2d_bwd_data_rows(shape, phase), shape.in_per_group(), shape.groups, tile_rows, phase,
                tasks);
  }
  const bool has_addend = context.has_input(2);
  Phase phase;
  phase.tasks = static_cast<std::int64_t>(tasks.size());
  phase.run = [=](const Operands& operands, std::int64_t task, std::byte* thread_scratch) {
    const ProductTask& t = tasks[static_cast<std::size_t>(task)];
    kernels::conv2d_bwd_data_f32(shape, t.phase, operands.in<float>(0), floats(operands.shared),
                                 optional_in(operands, 2, has_addend), operands.out<float>(0), t.slice, blocking,
                                 floats(thread_scratch));
  };
  Bound bound;
  bound.phases.push_back(pack_transposed_phase(shape, 1));
  bound.phases.push_back(std::move(phase));
  bound.shared_scratch = bytes(kernels::conv2d_bwd_data_weight_elements(shape));
  bound.thread_scratch = bytes(kernels::conv2d_scratch(blocking));
  return bound;
}

Phase pack_transposed_phase(const Conv2dShape& shape, int weight, std::int64_t offset) {
  std::vector<ProductTask> tasks;
  const std::int64_t cols = shape.in_per_group();
  const std::int64_t step = kernels::round_up((cols + kTaskGoal - 1) / kTaskGoal, kernels::kGemmTileCols);
  for (std::int64_t group = 0; group < shape.groups; ++group) {
    for (std::int64_t phase = 0; phase < kernels::conv2d_bwd_data_phases(shape); ++phase) {
      if (kernels::conv2d_bwd_data_depth(shape, phase) == 0) continue;
      for (std::int64_t col = 0; col < cols; col += step)
        tasks.push_back({phase, {group, 0, 1, col, std::min(col + step, cols)}});
    }
  }
  Phase result;
  result.tasks = static_cast<std::int64_t>(tasks.size());
  result.run = [shape, tasks, weight, offset](const Operands& operands, std::int64_t task, std::byte*) {
    const ProductTask& t = tasks[static_cast<std::size_t>(task)];
    kernels::conv2d_pack_bwd_data_weight_f32(shape, operands.in<float>(weight), t.slice.group, t.phase,
                                             t.slice.col_begin, t.slice.col_end, floats(operands.shared) + offset);
  };
  return result;
}

}  // namespace bramble::engine
