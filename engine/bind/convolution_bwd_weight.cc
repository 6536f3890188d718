#include <algorithm>
#include <utility>
#include <vector>

#include "engine/bind/channel_sums.h"
#include "engine/bind/convolution.h"
#include "engine/bind/product_cuts.h"
#include "engine/bind/weight_update.h"

namespace bramble::engine {
namespace {

using kernels::Conv2dShape;
using kernels::ConvBlocking;
using kernels::ConvSlice;
using kernels::GradientPanels;

// Floats that one task of an elementwise phase sums, fewer where there would be too few tasks for four cores.
constexpr std::int64_t kSumBlock = 16 << 10;
constexpr std::int64_t kSmallestSumBlock = 256;
// Columns that one task of a bias' gradient alone sums.
constexpr std::int64_t kSumCols = 64;
// Columns that one task of that packs at most: whole panels.
constexpr std::int64_t kPackedCols = 8 * kernels::kGemmTileCols;
// A block of dw that waits for its update stays in three eighths of L2, but need not be lower than this.
constexpr std::int64_t kUpdateFloats = (192 << 10) / sizeof(float);
constexpr std::int64_t kUpdateRows = 32;

float* floats(std::byte* scratch) { return reinterpret_cast<float*>(scratch); }

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

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
    const std::int64_t steps = parts * ceil_div(end - begin, step);
    const std::int64_t width =
        std::min(kPackedCols, kernels::round_up(ceil_div(cols * steps, kTaskGoal), kernels::kGemmTileCols));
    for (std::int64_t m = begin; m < end; m += step)
      for (std::int64_t col = 0; col < cols; col += width)
        tasks.push_back({m, std::min(step, end - m), col, std::min(col + width, cols)});
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

/// The product's slices, how they are cut, and where their results go.
struct WeightGradient {
  WeightGradient(const BindContext& context, const Conv2dShape& conv, const WeightGradientOperands& operands)
      : shape(conv),
        where(operands),
        blocking(kernels::conv_blocking(context.caches.l2)),
        cuts(cut_gradient(shape.depth(), shape.out_per_group(), shape.out_rows(), shape.groups, blocking)),
        dw_elements(kernels::packed_weight_elements(shape.weight())),
        db_elements(context.has_output(where.db) ? shape.out_channels : 0),
        update(context) {
    panels = kernels::round_up(where.scratch_offset + partial_floats(), 16);
  }

  std::int64_t partial_floats() const { return cuts.parts > 1 ? cuts.parts * (dw_elements + db_elements) : 0; }
  /// Beside the operands' and the partial gradients'.
  std::int64_t shared_floats() const {
    if (!cuts.packs_once) return where.scratch_offset + partial_floats();
    return panels + shape.out_rows() * kernels::round_up(shape.out_channels, kernels::kGemmTileCols);
  }
  bool updates_slices() const { return update && cuts.parts == 1; }
  bool updates_tiles() const { return update.by_tiles() && shape.depth() % kernels::kGemmTileRows == 0; }

  /// One task's part of dw and db.
  void multiply(const Operands& o, const GradientTask& t, const ConvSlice& slice, const GradientPanels& dw, float* db,
                float* scratch, const kernels::GemmUpdate* by_tiles = nullptr) const {
    kernels::Normalisation normal;
    if (where.mean >= 0) normal = normalisation(o, where.mean, where.activation);
    if (where.gate >= 0) normal.gate = image_gate(o, where.gate, where.image_pixels, shape.in_channels);
    const kernels::ConvSource x(o.in<float>(where.x), where.mean >= 0 ? &normal : nullptr);
    const kernels::ConvGradient dy(gradient_of(where, o), cuts.packs_once ? floats(o.shared) + panels : nullptr);
    kernels::conv2d_bwd_weight_f32(shape, x, dy, dw, db, slice, t.depth_begin, t.depth_end, blocking, scratch, false,
                                   by_tiles);
  }

  /// The same, and the update: tile by tile, or of all of the slice's gradient, which `block` has room for.
  void multiply_and_update(const Operands& o, const GradientTask& t, const ConvSlice& slice, float* block,
                           float* scratch) const {
    const GradientPanels dw(block, slice.row_end - slice.row_begin, slice.row_begin, slice.col_begin);
    WeightUpdate::Block rest{slice.group, 1, slice.row_begin, slice.row_end, slice.col_begin, slice.col_end};
    if (updates_tiles()) {
      multiply(o, t, slice, dw, o.out<float>(where.db), scratch, &WeightUpdate::Tiles(update, o).gemm());
      rest = rest.narrow_panel();
    } else {
      multiply(o, t, slice, dw, o.out<float>(where.db), scratch);
    }
    update.apply(o, shape.weight(), rest, block + (rest.col_begin - slice.col_begin) * dw.part_rows);
  }

  Conv2dShape shape;
  WeightGradientOperands where;
  ConvBlocking blocking;
  GradientCuts cuts;
  std::int64_t dw_elements, db_elements;
  std::int64_t panels;  ///< dy's, packed once: where in the shared scratch
  WeightUpdate update;
};

/// To the whole gradient, or the task's part of it.
Phase product_phase(const WeightGradient& gradient) {
  return {static_cast<std::int64_t>(gradient.cuts.tasks.size()),
          [=](const Operands& o, std::int64_t task, std::byte* thread_scratch) {
            const GradientTask& t = gradient.cuts.tasks[static_cast<std::size_t>(task)];
            float* dw = o.out<float>(gradient.where.dw);
            float* db = o.out<float>(gradient.where.db);
            if (gradient.cuts.parts > 1) {
              float* const partial = floats(o.shared) + gradient.where.scratch_offset;
              dw = partial + t.part * gradient.dw_elements;
              if (db) db = partial + gradient.cuts.parts * gradient.dw_elements + t.part * gradient.db_elements;
            }
            gradient.multiply(o, t, t.slice, dw, db, floats(thread_scratch));
          }};
}

/// Block by block to the update, while the block is in L2. Each block packs x's rows, and dy's columns unless these are
/// packed before: blocks are cut so that nothing is packed twice.
Phase updating_phase(const WeightGradient& gradient, Bound& bound) {
  std::int64_t high = 0, wide = 0;
  for (const GradientTask& t : gradient.cuts.tasks) {
    high = std::max(high, t.slice.row_end - t.slice.row_begin);
    wide = std::max(wide, t.slice.col_end - t.slice.col_begin);
  }
  if (gradient.cuts.packs_once) {
    high =
        std::min(high, std::max(kUpdateFloats / wide, kUpdateRows) / kernels::kGemmTileRows * kernels::kGemmTileRows);
  } else {
    wide = std::min(wide, gradient.blocking.gradient_cols);
  }
  const std::int64_t most = high * kernels::round_up(wide, kernels::kGemmTileCols);
  const std::int64_t block_at = kernels::conv2d_scratch(gradient.blocking);
  bound.thread_scratch = std::max(bound.thread_scratch, bytes(block_at + most));
  return {static_cast<std::int64_t>(gradient.cuts.tasks.size()),
          [=](const Operands& o, std::int64_t task, std::byte* thread_scratch) {
            const GradientTask& t = gradient.cuts.tasks[static_cast<std::size_t>(task)];
            float* const block = floats(thread_scratch) + block_at;
            ConvSlice slice = t.slice;
            for (std::int64_t col = t.slice.col_begin; col < t.slice.col_end; col += wide) {
              slice.col_begin = col;
              slice.col_end = std::min(col + wide, t.slice.col_end);
              for (std::int64_t row = t.slice.row_begin; row < t.slice.row_end; row += high) {
                slice.row_begin = row;
                slice.row_end = std::min(row + high, t.slice.row_end);
                gradient.multiply_and_update(o, t, slice, block, floats(thread_scratch));
              }
            }
          }};
}

}  // namespace

Phase sum_gradient_parts(const BindContext& context, const WeightGradientOperands& where, std::int64_t parts,
                         std::int64_t dw_elements, std::int64_t db_elements, Bound& bound) {
  const std::int64_t block =
      kernels::round_up(std::clamp((dw_elements + kTaskGoal - 1) / kTaskGoal, kSmallestSumBlock, kSumBlock), 16);
  const std::int64_t dw_tasks = (dw_elements + block - 1) / block;
  const WeightUpdate update(context);
  if (update) bound.thread_scratch = std::max(bound.thread_scratch, bytes(block));
  Phase result;
  result.tasks = dw_tasks + (db_elements > 0 ? 1 : 0);
  result.run = [=](const Operands& operands, std::int64_t task, std::byte* thread_scratch) {
    const float* partial = floats(operands.shared) + where.scratch_offset;
    if (task == dw_tasks) {
      return kernels::sum_parts_f32(partial + parts * dw_elements, parts, db_elements, 0, db_elements,
                                    operands.out<float>(where.db));
    }
    const std::int64_t begin = task * block, end = std::min(begin + block, dw_elements);
    float* const sums = update ? floats(thread_scratch) : operands.out<float>(where.dw) + begin;
    kernels::sum_parts_f32(partial + begin, parts, dw_elements, 0, end - begin, sums);
    if (update) update.apply(operands, begin, end, sums);
  };
  return result;
}

void append_weight_gradient(const BindContext& context, const Conv2dShape& shape, const WeightGradientOperands& where,
                            Bound& bound) {
  const WeightGradient gradient(context, shape, where);
  if (gradient.cuts.packs_once) {
    bound.phases.push_back(pack_gradient_phase(shape, where, gradient.blocking, gradient.cuts.parts, gradient.panels));
  }
  bound.thread_scratch = std::max(bound.thread_scratch, bytes(kernels::conv2d_scratch(gradient.blocking)));
  bound.phases.push_back(gradient.updates_slices() ? updating_phase(gradient, bound) : product_phase(gradient));
  if (gradient.partial_floats() > 0 || gradient.cuts.packs_once)
    bound.shared_scratch = std::max(bound.shared_scratch, bytes(gradient.shared_floats()));
  if (gradient.cuts.parts > 1) {
    bound.phases.push_back(
        sum_gradient_parts(context, where, gradient.cuts.parts, gradient.dw_elements, gradient.db_elements, bound));
  }
}

Phase bias_gradient_phase(const Conv2dShape& shape, const WeightGradientOperands& where, std::int64_t dy_stride) {
  const std::int64_t stride = dy_stride > 0 ? dy_stride : shape.out_channels;
  Phase phase;
  phase.tasks = (shape.out_channels + kSumCols - 1) / kSumCols;
  phase.run = [=](const Operands& operands, std::int64_t task, std::byte*) {
    const std::int64_t col = task * kSumCols;
    kernels::gemm_column_sums_f32(shape.out_rows(), std::min(kSumCols, shape.out_channels - col),
                                  gradient_of(where, operands) + col, stride, operands.out<float>(where.db) + col,
                                  false);
  };
  return phase;
}

Bound bind_convolution_bwd_weight(const BindContext& context, const Conv2dShape& shape) {
  Bound bound;
  if (!needs_gradient(context, 0)) {
    bound.phases.push_back(bias_gradient_phase(shape, {}));
    return bound;
  }
  append_weight_gradient(context, shape, {}, bound);
  return bound;
}

}  // namespace bramble::engine
