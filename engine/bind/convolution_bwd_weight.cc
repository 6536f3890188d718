#include <algorithm>
#include <utility>
#include <vector>

#include "engine/bind/channel_sums.h"
#include "engine/bind/convolution.h"
#include "engine/bind/product_cuts.h"

namespace bramble::engine {
namespace {

using kernels::Conv2dShape;
using kernels::ConvBlocking;

// Floats that one task of an elementwise phase sums.
constexpr std::int64_t kSumBlock = 16 << 10;
// Columns that one task of a bias' gradient alone sums.
constexpr std::int64_t kSumCols = 64;
// Where more slices of a weight's gradient than these would each pack dy, it is packed once for all.
constexpr std::int64_t kPackersOfGradient = 2;
// Columns that one task of that packs: whole panels.
constexpr std::int64_t kPackedCols = 8 * kernels::kGemmTileCols;

float* floats(std::byte* scratch) { return reinterpret_cast<float*>(scratch); }

std::size_t bytes(std::int64_t float_count) { return static_cast<std::size_t>(float_count) * sizeof(float); }

const float* gradient_of(const WeightGradientOperands& where, const Operands& operands) {
  return where.dy_offset >= 0 ? floats(operands.shared) + where.dy_offset : operands.in<float>(where.dy);
}

/// dy as the panels that all slices of the weight's gradient read, into the shared scratch from float `offset` on.
Phase pack_gradient_phase(const Conv2dShape& shape, const WeightGradientOperands& where, const ConvBlocking& blocking,
                          std::int64_t parts, std::int64_t offset) {
  struct Task {
    std::int64_t m, depth, col_begin, col_end;
  };
  std::vector<Task> tasks;
  const std::int64_t rows = shape.out_rows(), cols = shape.out_channels;
  for (std::int64_t part = 0; part < parts; ++part) {
    const std::int64_t begin = rows * part / parts, end = rows * (part + 1) / parts;
    const std::int64_t step = kernels::conv2d_bwd_weight_step(end - begin, blocking);
    for (std::int64_t m = begin; m < end; m += step)
      for (std::int64_t col = 0; col < cols; col += kPackedCols)
        tasks.push_back({m, std::min(step, end - m), col, std::min(col + kPackedCols, cols)});
  }
  Phase phase;
  phase.tasks = static_cast<std::int64_t>(tasks.size());
  phase.run = [=](const Operands& operands, std::int64_t task, std::byte*) {
    const Task& t = tasks[static_cast<std::size_t>(task)];
    kernels::conv2d_bwd_weight_pack_f32(shape, gradient_of(where, operands), t.m, t.depth, t.col_begin, t.col_end,
                                        floats(operands.shared) + offset);
  };
  return phase;
}

}  // namespace

Phase sum_gradient_parts(const WeightGradientOperands& where, std::int64_t parts, std::int64_t dw_elements,
                         std::int64_t db_elements) {
  const std::int64_t dw_tasks = (dw_elements + kSumBlock - 1) / kSumBlock;
  Phase result;
  result.tasks = dw_tasks + (db_elements > 0 ? 1 : 0);
  result.run = [=](const Operands& operands, std::int64_t task, std::byte*) {
    const float* partial = floats(operands.shared) + where.scratch_offset;
    if (task < dw_tasks) {
      const std::int64_t begin = task * kSumBlock;
      kernels::sum_parts_f32(partial, parts, dw_elements, begin, std::min(begin + kSumBlock, dw_elements),
                             operands.out<float>(where.dw));
    } else {
      kernels::sum_parts_f32(partial + parts * dw_elements, parts, db_elements, 0, db_elements,
                             operands.out<float>(where.db));
    }
  };
  return result;
}

void append_weight_gradient(const BindContext& context, const Conv2dShape& shape, const WeightGradientOperands& where,
                            Bound& bound) {
  const ConvBlocking blocking = kernels::conv_blocking(context.caches.l2);
  const GradientCuts cuts =
      cut_gradient(shape.depth(), shape.out_per_group(), shape.out_rows(), shape.groups, blocking);
  const std::int64_t dw_elements = kernels::packed_weight_elements(shape.weight());
  const std::int64_t db_elements = context.has_output(where.db) ? shape.out_channels : 0;
  const std::int64_t parts = cuts.parts;
  const std::int64_t partial_floats = parts > 1 ? parts * (dw_elements + db_elements) : 0;
  const std::int64_t panels = kernels::round_up(where.scratch_offset + partial_floats, 16);
  const bool packs_once = shape.groups == 1 && cuts.row_tasks > kPackersOfGradient;
  if (packs_once) bound.phases.push_back(pack_gradient_phase(shape, where, blocking, parts, panels));
  Phase phase;
  phase.tasks = static_cast<std::int64_t>(cuts.tasks.size());
  phase.run = [=, tasks = cuts.tasks](const Operands& operands, std::int64_t task, std::byte* thread_scratch) {
    const GradientTask& t = tasks[static_cast<std::size_t>(task)];
    float* dw = operands.out<float>(where.dw);
    float* db = operands.out<float>(where.db);
    if (parts > 1) {
      float* const partial = floats(operands.shared) + where.scratch_offset;
      dw = partial + t.part * dw_elements;
      if (db) db = partial + parts * dw_elements + t.part * db_elements;
    }
    kernels::Normalisation normal;
    if (where.mean >= 0) normal = normalisation(operands, where.mean, where.activation);
    const kernels::ConvSource x(operands.in<float>(where.x), where.mean >= 0 ? &normal : nullptr);
    const kernels::ConvGradient dy(gradient_of(where, operands),
                                   packs_once ? floats(operands.shared) + panels : nullptr);
    kernels::conv2d_bwd_weight_f32(shape, x, dy, dw, db, t.slice, t.depth_begin, t.depth_end, blocking,
                                   floats(thread_scratch));
  };
  bound.phases.push_back(std::move(phase));
  bound.thread_scratch = std::max(bound.thread_scratch, bytes(kernels::conv2d_scratch(blocking)));
  std::int64_t shared_floats = where.scratch_offset + partial_floats;
  if (packs_once) {
    shared_floats = panels + shape.out_rows() * kernels::round_up(shape.out_channels, kernels::kGemmTileCols);
  }
  if (partial_floats > 0 || packs_once) bound.shared_scratch = std::max(bound.shared_scratch, bytes(shared_floats));
  if (parts > 1) bound.phases.push_back(sum_gradient_parts(where, parts, dw_elements, db_elements));
}

Phase bias_gradient_phase(const Conv2dShape& shape, const WeightGradientOperands& where) {
  Phase phase;
  phase.tasks = (shape.out_channels + kSumCols - 1) / kSumCols;
  phase.run = [=](const Operands& operands, std::int64_t task, std::byte*) {
    const std::int64_t col = task * kSumCols;
    kernels::gemm_column_sums_f32(shape.out_rows(), std::min(kSumCols, shape.out_channels - col),
                                  gradient_of(where, operands) + col, shape.out_channels,
                                  operands.out<float>(where.db) + col, false);
  };
  return phase;
}

Bound bind_convolution_bwd_weight(const BindContext& context, const Conv2dShape& shape) {
  Bound bound;
  if (!context.has_output(0)) {
    bound.phases.push_back(bias_gradient_phase(shape, {}));
    return bound;
  }
  append_weight_gradient(context, shape, {}, bound);
  return bound;
}

}  // namespace bramble::engine
