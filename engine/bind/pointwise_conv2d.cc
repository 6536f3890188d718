#include "graph/ops/pointwise_conv2d.h"

#include <algorithm>
#include <optional>

#include "engine/bind/activation.h"
#include "engine/bind/channel_sums.h"
#include "engine/bind/convolution.h"
#include "engine/bind/convolution_batchnorm.h"
#include "engine/bind/ops.h"
#include "engine/bind/product_cuts.h"
#include "engine/bind/slices.h"
#include "engine/bind/weight_update.h"

namespace bramble::engine {
namespace {

enum Input { kDy, kX, kWeight, kAddend, kMean, kScale, kBeta, kGradientX, kCoefficients, kSummed, kGate = 14 };
enum Output { kDx, kDw, kDb, kSums };

// Partial gradients of the weight, one a task of the fused pass: this many together stay small beside the activations.
constexpr std::int64_t kParts = 16;
// The fused pass pays where a block that fits L2 is this many rows high, and dw stays in L2 beside it.
constexpr std::int64_t kFusedRows = 64;
// Blocks of rows are whole tiles of by data's GEMM, two of them: among multiples of seven a choice that golden resnet50
// decides, whose fc.weight after three steps turns on the gradients' last bits.
constexpr std::int64_t kWholeTiles = 2 * kernels::kGemmRowsTile;

std::size_t floats(std::int64_t count) { return static_cast<std::size_t>(count) * sizeof(float); }

struct Backward {
  explicit Backward(const BindContext& context)
      : blocking(kernels::conv_blocking(context.caches.l2)),
        has_addend(context.has_input(kAddend)),
        has_dx(context.has_output(kDx)),
        has_sums(context.has_output(kSums)),
        backward_sums(context, context.op<graph::PointwiseConv2dBwd>().sums_for, kSummed,
                      context.input(kX).shape.back()) {
    const graph::Shape& x = context.input(kX).shape;
    shape.in_width = graph::element_count(x) / x.back();
    shape.in_channels = x.back();
    shape.out_channels = context.input(kDy).shape.back();
    sums = {shape.out_rows(), context.output(kSums).shape[0]};
    const auto& op = context.op<graph::PointwiseConv2dBwd>();
    if (op.gated) image_pixels = shape.in_width / x[0];
    if (op.normalisation) way_in = to_kernel(*op.normalisation);
    if (op.gradient_normalisation) gradient_way_in = to_kernel(*op.gradient_normalisation);
    const std::int64_t dy_rows = gradient_way_in ? 3 : 1;
    const std::int64_t fitting =
        fused_row_block(context, 2 * shape.in_channels + dy_rows * shape.out_channels, blocking);
    fuses = fitting >= kFusedRows;
    row_step = fitting >= kWholeTiles ? fitting / kWholeTiles * kWholeTiles : fitting;
  }

  kernels::Normalisation normal(const Operands& o) const {
    kernels::Normalisation norm;
    if (way_in) norm = normalisation(o, kMean, *way_in);
    if (image_pixels > 0) norm.gate = image_gate(o, kGate, image_pixels, shape.in_channels);
    return norm;
  }

  /// dy of rows [row, end): the operand's, or made of it in `buffer`.
  const float* gradient(const Operands& o, std::int64_t row, std::int64_t end, float* buffer) const {
    const std::int64_t channels = shape.out_channels;
    const float* const dy = o.in<float>(kDy) + row * channels;
    if (!gradient_way_in) return dy;
    normalise_gradient(o, kGradientX, *gradient_way_in, channels, channels, {0, row, end, 0, channels}, buffer);
    return buffer;
  }

  /// The convolution of rows [row, end) alone.
  kernels::Conv2dShape of_rows(std::int64_t row, std::int64_t end) const {
    kernels::Conv2dShape rows = shape;
    rows.in_width = end - row;
    return rows;
  }

  /// dx of the block, whose dy is given.
  void data(const Operands& o, const kernels::ConvSlice& block, const float* dy, float* scratch) const {
    const std::int64_t first = block.row_begin * shape.in_channels;
    const kernels::ConvSlice rows{0, 0, block.row_end - block.row_begin, block.col_begin, block.col_end};
    kernels::conv2d_bwd_data_f32(
        of_rows(block.row_begin, block.row_end), 0, dy, reinterpret_cast<const float*>(o.shared),
        has_addend ? o.in<float>(kAddend) + first : nullptr, o.out<float>(kDx) + first, rows, blocking, scratch);
  }

  /// Adds the block's dx to the sums, where these are wanted.
  void sum(const Operands& o, const kernels::ConvSlice& block, const PartSums& part) const {
    if (!has_sums) return;
    if (backward_sums)
      return backward_sums.add(o, part, o.out<float>(kDx), block.row_begin, block.row_end, block.col_begin,
                               block.col_end);
    const kernels::Normalisation norm = normal(o);
    const kernels::BatchnormBackward operands{norm.activation,   static_cast<std::size_t>(shape.in_channels),
                                              o.out<float>(kDx), o.in<float>(kX),
                                              nullptr,           norm.affine};
    part.add_backward(operands, block.row_begin, block.row_end, block.col_begin, block.col_end);
  }

  kernels::Conv2dShape shape;
  kernels::ConvBlocking blocking;
  bool has_addend, has_dx, has_sums;
  BackwardSums backward_sums;
  bool fuses = false;  // by data and by weight go together, if dw is small
  std::optional<kernels::Activation> way_in, gradient_way_in;
  SumParts sums;
  std::int64_t row_step = 0;
  std::int64_t image_pixels = 0;  // where x comes times a gate
};

/// By data and by weight block by block, each block of dy and x read from memory once.
Phase fused_phase(const Backward& bwd, const SumParts& parts, bool has_db, std::int64_t dw_offset) {
  return {parts.count, [=](const Operands& o, std::int64_t part, std::byte* thread_scratch) {
            const kernels::Conv2dShape& shape = bwd.shape;
            float* const scratch = reinterpret_cast<float*>(thread_scratch);
            const std::int64_t dw_elements = kernels::packed_weight_elements(shape.weight());
            float* const partial = reinterpret_cast<float*>(o.shared) + dw_offset;
            float* const dw = partial + part * dw_elements;
            float* const db = has_db ? partial + parts.count * dw_elements + part * shape.out_channels : nullptr;
            const kernels::Normalisation norm = bwd.normal(o);
            const PartSums sums(o.out<double>(kSums), part, shape.in_channels);
            if (bwd.has_sums) sums.clear(0, shape.in_channels);
            bool accumulate = false;
            for (std::int64_t row = parts.begin(part); row < parts.end(part); row += bwd.row_step) {
              const std::int64_t end = std::min(row + bwd.row_step, parts.end(part));
              const float* dy = bwd.gradient(o, row, end, scratch + kernels::conv2d_scratch(bwd.blocking));
              const kernels::ConvSlice block{0, row, end, 0, shape.in_channels};
              if (bwd.has_dx) bwd.data(o, block, dy, scratch);
              if (bwd.has_dx) bwd.sum(o, block, sums);
              const kernels::Normalisation of_rows = norm.from_row(row);
              const kernels::ConvSource x(o.in<float>(kX) + row * shape.in_channels, bwd.way_in ? &of_rows : nullptr);
              kernels::conv2d_bwd_weight_f32(bwd.of_rows(row, end), x, dy, dw, db,
                                             {0, 0, shape.in_channels, 0, shape.out_channels}, 0, end - row,
                                             bwd.blocking, scratch, accumulate);
              accumulate = true;
            }
            // The other parts of the sums are zeros.
            if (bwd.has_sums && part == 0)
              clear_parts(o.out<double>(kSums), parts.count, bwd.sums.count, shape.in_channels);
          }};
}

/// dy as a whole, into the shared scratch, where the passes do not go together.
Phase gradient_phase(const Backward& bwd, std::int64_t dy_offset) {
  const Slices slices =
      slice_rows(static_cast<std::size_t>(bwd.shape.out_rows()), static_cast<std::size_t>(bwd.shape.out_channels));
  return {slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
            const auto row = static_cast<std::int64_t>(slices.begin(task));
            float* const dy = reinterpret_cast<float*>(o.shared) + dy_offset;
            bwd.gradient(o, row, static_cast<std::int64_t>(slices.end(task)), dy + row * bwd.shape.out_channels);
          }};
}

/// By data alone, its sums taken on the way.
Phase data_phase(const Backward& bwd, std::int64_t dy_offset) {
  const std::int64_t tile_rows = kernels::conv2d_bwd_data_tile_rows(bwd.shape);
  const std::vector<SumTask> tasks = cut_sums(bwd.shape.in_channels, 1, bwd.sums, tile_rows);
  return {static_cast<std::int64_t>(tasks.size()), [=](const Operands& o, std::int64_t task, std::byte* scratch) {
            const SumTask& t = tasks[static_cast<std::size_t>(task)];
            const float* const dy =
                bwd.gradient_way_in ? reinterpret_cast<const float*>(o.shared) + dy_offset : o.in<float>(kDy);
            kernels::ConvSlice block = t.slice;
            const auto data = [&](std::int64_t row, std::int64_t end) {
              block.row_begin = row;
              block.row_end = end;
              bwd.data(o, block, dy + row * bwd.shape.out_channels, reinterpret_cast<float*>(scratch));
            };
            const auto sum = [&](std::int64_t part, std::int64_t row, std::int64_t end) {
              const PartSums sums(o.out<double>(kSums), part, bwd.shape.in_channels);
              if (bwd.has_sums && row == bwd.sums.begin(part)) sums.clear(block.col_begin, block.col_end);
              bwd.sum(o, {0, row, end, block.col_begin, block.col_end}, sums);
            };
            follow_with_sums(t, bwd.sums, bwd.row_step, tile_rows, data, sum);
          }};
}

/// The same of the weight as it is stored, each task with all rows.
Phase transposing_data_phase(const Backward& bwd, Bound& bound) {
  const std::int64_t rows = bwd.shape.out_rows(), cols = bwd.shape.in_channels;
  const std::int64_t step = transposing_columns(bwd.shape), tasks = (cols + step - 1) / step;
  const std::int64_t scratch_floats = kernels::conv2d_bwd_data_transposing_scratch(step, bwd.blocking);
  bound.thread_scratch = std::max(bound.thread_scratch, floats(scratch_floats));
  return {tasks, [=](const Operands& o, std::int64_t task, std::byte* scratch) {
            const kernels::ConvSlice slice{0, 0, rows, task * step, std::min((task + 1) * step, cols)};
            kernels::conv2d_bwd_data_transposing_f32(bwd.shape, 0, o.in<float>(kDy), o.in<float>(kWeight),
                                                     bwd.has_addend ? o.in<float>(kAddend) : nullptr, o.out<float>(kDx),
                                                     slice, bwd.blocking, reinterpret_cast<float*>(scratch));
            if (!bwd.has_sums) return;
            for (std::int64_t part = 0; part < bwd.sums.count; ++part) {
              const PartSums sums(o.out<double>(kSums), part, cols);
              sums.clear(slice.col_begin, slice.col_end);
              const std::int64_t part_end = bwd.sums.end(part);
              for (std::int64_t row = bwd.sums.begin(part); row < part_end; row += bwd.row_step)
                bwd.sum(o, {0, row, std::min(row + bwd.row_step, part_end), slice.col_begin, slice.col_end}, sums);
            }
          }};
}

}  // namespace

Bound bind_pointwise_conv2d_bwd(const BindContext& context) {
  const Backward bwd(context);
  const bool on_the_way = bwd.has_dx && !bwd.gradient_way_in && transposes_on_the_way(bwd.shape);
  const std::int64_t transposed =
      on_the_way ? 0 : kernels::round_up(kernels::conv2d_bwd_data_weight_elements(bwd.shape), 16);
  const bool has_db = context.has_output(kDb);
  WeightGradientOperands where{
      kX, kDy, kDw, kDb, bwd.way_in ? kMean : -1, bwd.way_in.value_or(kernels::Activation::none)};
  if (bwd.image_pixels > 0) where.gate = kGate, where.image_pixels = bwd.image_pixels;
  where.scratch_offset = transposed;
  Bound bound;
  bound.shared_scratch = floats(transposed);
  bound.thread_scratch = floats(kernels::conv2d_scratch(bwd.blocking));
  if (bwd.has_dx && !on_the_way) bound.phases.push_back(pack_transposed_phase(bwd.shape, kWeight));
  const std::int64_t dw_elements = kernels::packed_weight_elements(bwd.shape.weight());
  const std::int64_t weight_elements = bwd.shape.in_channels * bwd.shape.out_channels;
  const SumParts parts{bwd.shape.out_rows(), std::min(kParts, bwd.sums.count)};
  if (needs_gradient(context, kDw) && bwd.fuses && weight_elements <= graph::kSmallWeight && parts.count >= 4) {
    const std::int64_t db_elements = has_db ? bwd.shape.out_channels : 0;
    bound.phases.push_back(fused_phase(bwd, parts, has_db, transposed));
    bound.phases.push_back(sum_gradient_parts(context, where, parts.count, dw_elements, db_elements, bound));
    bound.shared_scratch += floats(parts.count * (dw_elements + db_elements));
    if (bwd.gradient_way_in) bound.thread_scratch += floats(bwd.row_step * bwd.shape.out_channels);
    return bound;
  }
  if (bwd.gradient_way_in) {
    bound.phases.push_back(gradient_phase(bwd, transposed));
    where.dy_offset = transposed;
    where.scratch_offset += kernels::round_up(bwd.shape.out_rows() * bwd.shape.out_channels, 16);
    bound.shared_scratch = floats(where.scratch_offset);
  }
  if (bwd.has_dx) bound.phases.push_back(on_the_way ? transposing_data_phase(bwd, bound) : data_phase(bwd, transposed));
  if (needs_gradient(context, kDw)) append_weight_gradient(context, bwd.shape, where, bound);
  return bound;
}

}  // namespace bramble::engine
