#include "engine/bind/convolution_batchnorm.h"

#include <algorithm>
#include <vector>

#include "engine/bind/activation.h"
#include "engine/bind/channel_sums.h"
#include "engine/bind/product_cuts.h"

namespace bramble::engine {
namespace {

enum Input { kX, kWeight, kBias, kResidual, kMean, kGate = 7 };
enum Output { kY, kZ, kSums };

}  // namespace

std::vector<SumTask> cut_sums(std::int64_t cols, std::int64_t groups, const SumParts& parts, std::int64_t tile_rows) {
  std::vector<std::int64_t> borders;
  for (std::int64_t part = 0; part <= parts.count; ++part) borders.push_back(parts.begin(part));
  const EvenCut cut = even_cut(borders, cols, groups, tile_rows);
  std::vector<SumTask> tasks;
  for (std::int64_t group = 0; group < groups; ++group)
    for (std::int64_t col = 0; col < cut.col_tasks; ++col)
      for (std::int64_t i = 0; i < cut.row_tasks; ++i) {
        const std::int64_t begin = cut.unit(parts.count, i), end = cut.unit(parts.count, i + 1);
        tasks.push_back(
            {begin, end, {group, parts.begin(begin), parts.begin(end), cut.col(col), cut.col(col + 1)}});
      }
  return tasks;
}

void normalise_gradient(const Operands& operands, int gradient_input, kernels::Activation activation,
                        std::int64_t channels, std::int64_t stride, const kernels::ConvSlice& slice, float* dy) {
  const std::int64_t first = slice.row_begin * channels + slice.col_begin;
  const float* const vectors = operands.in<float>(gradient_input + 1) + slice.col_begin;
  const kernels::BatchnormBackward norm{activation,
                                        static_cast<std::size_t>(channels),
                                        operands.in<float>(0) + slice.row_begin * stride + slice.col_begin,
                                        operands.in<float>(gradient_input) + first,
                                        nullptr,
                                        {vectors, vectors + channels, vectors + 2 * channels},
                                        static_cast<std::size_t>(stride)};
  const auto rows = static_cast<std::size_t>(slice.row_end - slice.row_begin);
  const auto cols = static_cast<std::size_t>(slice.col_end - slice.col_begin);
  kernels::batchnorm_bwd_data_strided_f32(norm, rows, cols, vectors + 3 * channels, vectors + 4 * channels, dy, cols);
}

std::int64_t fused_row_block(const BindContext& context, std::int64_t row_elements,
                             const kernels::ConvBlocking& blocking) {
  const auto fitting = static_cast<std::int64_t>(context.caches.l2 / 8 * 5 / sizeof(float)) / row_elements;
  return std::clamp<std::int64_t>(fitting / kernels::kGemmTileRows * kernels::kGemmTileRows, 32, blocking.rows);
}

Bound bind_convolution_batchnorm(const BindContext& context, const kernels::Conv2dShape& shape,
                                 const graph::Conv2dAttributes& attributes) {
  const kernels::ConvBlocking blocking = kernels::conv_blocking(context.caches.l2);
  const bool has_bias = context.has_input(kBias), has_residual = context.has_input(kResidual);
  const bool has_sums = context.has_output(kSums);
  const SumParts parts{shape.out_rows(), context.output(kSums).shape[0]};
  const std::int64_t sum_step = fused_row_block(context, shape.out_per_group() + shape.in_per_group(), blocking);
  const std::int64_t tile_rows = kernels::conv2d_fwd_tile_rows(shape, attributes.normalisation.has_value());
  const auto way_in = attributes.normalisation ? std::optional(to_kernel(*attributes.normalisation)) : std::nullopt;
  const kernels::Activation kind = to_kernel(attributes.activation);
  const bool gated = attributes.gated;
  Phase phase;
  const std::vector<SumTask> tasks = cut_sums(shape.out_per_group(), shape.groups, parts, tile_rows);
  phase.tasks = static_cast<std::int64_t>(tasks.size());
  phase.run = [=](const Operands& operands, std::int64_t task, std::byte* scratch) {
    const SumTask& t = tasks[static_cast<std::size_t>(task)];
    const kernels::GemmEpilogue epilogue{has_bias ? operands.in<float>(kBias) : nullptr,
                                         has_residual ? operands.in<float>(kResidual) : nullptr,
                                         operands.out<float>(kZ), kind};
    kernels::Normalisation normal;
    if (way_in) normal = normalisation(operands, kMean, *way_in);
    if (gated) normal.gate = image_gate(operands, kGate, shape.in_height * shape.in_width, shape.in_channels);
    const kernels::ConvSource x(operands.in<float>(kX), way_in ? &normal : nullptr);
    float* y = operands.out<float>(kY);
    const std::int64_t first = t.slice.group * shape.out_per_group();
    const auto product = [&](std::int64_t row, std::int64_t end) {
      const kernels::ConvSlice block{t.slice.group, row, end, t.slice.col_begin, t.slice.col_end};
      kernels::conv2d_fwd_f32(shape, x, operands.in<float>(kWeight), y, epilogue, block, blocking,
                              reinterpret_cast<float*>(scratch));
    };
    follow_with_sums(t, parts, sum_step, tile_rows, product, [&](std::int64_t part, std::int64_t row, std::int64_t end) {
      if (!has_sums) return;
      const PartSums sums(operands.out<double>(kSums), part, shape.out_channels);
      if (row == parts.begin(part)) sums.clear(first + t.slice.col_begin, first + t.slice.col_end);
      sums.add(y, row, end, first + t.slice.col_begin, first + t.slice.col_end);
    });
  };
  Bound bound;
  bound.phases.push_back(std::move(phase));
  bound.thread_scratch = static_cast<std::size_t>(kernels::conv2d_scratch(blocking)) * sizeof(float);
  return bound;
}

}  // namespace bramble::engine
