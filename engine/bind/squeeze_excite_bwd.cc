#include <algorithm>

#include "engine/bind/convolution.h"
#include "engine/bind/linear_product.h"
#include "engine/bind/ops.h"
#include "engine/bind/squeeze_excite.h"

namespace bramble::engine {
namespace {

enum Input { kDy, kX, kReduceWeight, kExpandWeight, kMean, kHidden, kSaved, kGate, kMeanVector };
enum Output { kDx, kDwReduce, kDbReduce, kDwExpand, kDbExpand, kSums };

// Elements of dx (and of x beside it) that are made and summed at a time, in L2. A constant, as it decides the order of
// summation.
constexpr std::int64_t kBlockElements = 50 << 10;

// A linear layer over [N][in] as a convolution of an image of one row.
kernels::Conv2dShape layer(std::int64_t batch, std::int64_t in, std::int64_t out) {
  kernels::Conv2dShape shape;
  shape.in_channels = in;
  shape.in_width = batch;
  shape.out_channels = out;
  return shape;
}

/// The gradients in the shared scratch, behind the transposed weights: of the gate before g, of the hidden features
/// before f, of the mean.
struct Backward {
  Backward(const SqueezeExciteImages& x, const graph::SqueezeExciteAttributes& attributes)
      : images(x),
        activation(to_kernel(attributes.activation)),
        gate(to_kernel(attributes.gate)),
        reduce(layer(x.batch, x.channels, x.reduced)),
        expand(layer(x.batch, x.reduced, x.channels)),
        expand_weight(kernels::round_up(kernels::conv2d_bwd_data_weight_elements(reduce), 16)),
        dgate(expand_weight + kernels::round_up(kernels::conv2d_bwd_data_weight_elements(expand), 16)),
        dhidden(dgate + x.batch * x.channels),
        dmean(dhidden + x.batch * x.reduced),
        end(kernels::round_up(dmean + x.batch * x.channels, 16)) {}

  static float* at(const Operands& o, std::int64_t offset) { return reinterpret_cast<float*>(o.shared) + offset; }

  SqueezeExciteImages images;
  kernels::Activation activation, gate;
  kernels::Conv2dShape reduce, expand;
  std::int64_t expand_weight, dgate, dhidden, dmean, end;
};

Phase gate_phase(const Backward& bwd) {
  return {bwd.images.sum_tasks(), [=](const Operands& o, std::int64_t task, std::byte* scratch) {
            const SqueezeExciteImages& images = bwd.images;
            const kernels::Normalisation normal = images.normal(o, kMeanVector);
            const std::int64_t n = images.image(task), vector = n * images.channels;
            const auto begin = static_cast<std::size_t>(images.channel_begin(task));
            const auto end = static_cast<std::size_t>(images.channel_end(task));
            auto* const sums = reinterpret_cast<double*>(scratch);
            kernels::squeeze_excite_bwd_gate_f32(
                images.source(o.in<float>(kX), n, normal), static_cast<std::size_t>(images.pixels), begin, end,
                o.in<float>(kDy) + n * images.pixels * images.channels, sums);
            float* const dgate = Backward::at(o, bwd.dgate) + vector;
            std::transform(sums + begin, sums + end, dgate + begin, [](double sum) { return static_cast<float>(sum); });
            kernels::activation_bwd_f32(bwd.gate, begin, end, dgate, o.in<float>(kGate) + vector, dgate);
          }};
}

Phase hidden_phase(const Backward& bwd) {
  const LinearProduct product(bwd.images.batch, bwd.images.reduced, bwd.images.channels);
  return {product.tasks(), [=](const Operands& o, std::int64_t task, std::byte*) {
            float* const dhidden = Backward::at(o, bwd.dhidden);
            product.run(task, Backward::at(o, bwd.dgate), Backward::at(o, bwd.expand_weight), dhidden, {});
            const LinearProduct::Block block = product.block(task);
            for (std::int64_t n = block.row_begin; n < block.row_end; ++n) {
              float* const row = dhidden + n * product.cols;
              kernels::activation_bwd_f32(bwd.activation, static_cast<std::size_t>(block.col_begin),
                                          static_cast<std::size_t>(block.col_end), row,
                                          o.in<float>(kSaved) + n * product.cols, row);
            }
          }};
}

Phase mean_phase(const Backward& bwd) {
  const LinearProduct product(bwd.images.batch, bwd.images.channels, bwd.images.reduced);
  return {product.tasks(), [=](const Operands& o, std::int64_t task, std::byte*) {
            product.run(task, Backward::at(o, bwd.dhidden), Backward::at(o, 0), Backward::at(o, bwd.dmean), {});
          }};
}

/// dx and, where wanted, its sums, block by block of one image.
Phase data_phase(const Backward& bwd, bool has_sums, std::int64_t sum_parts) {
  const SumParts parts{bwd.images.batch * bwd.images.pixels, sum_parts};
  const std::int64_t step = std::clamp<std::int64_t>(kBlockElements / bwd.images.channels, 16, 64);
  return {parts.count, [=](const Operands& o, std::int64_t task, std::byte*) {
            const SqueezeExciteImages& images = bwd.images;
            const std::int64_t pixels = images.pixels, channels = images.channels;
            const auto width = static_cast<std::size_t>(channels);
            const kernels::Normalisation normal = images.normal(o, kMeanVector);
            float* const dx = o.out<float>(kDx);
            const kernels::BatchnormBackward norm{normal.activation,  width,   dx,
                                                  o.in<float>(kX), nullptr, normal.affine};
            const PartSums sums(o.out<double>(kSums), task, channels);
            if (has_sums) sums.clear(0, channels);
            for (std::int64_t row = parts.begin(task), end = row; row < parts.end(task); row = end) {
              const std::int64_t n = row / pixels;
              end = std::min({row + step, parts.end(task), (n + 1) * pixels});
              kernels::squeeze_excite_bwd_data_f32(
                  width, static_cast<std::size_t>(row), static_cast<std::size_t>(end), o.in<float>(kDy),
                  o.in<float>(kGate) + n * channels, Backward::at(o, bwd.dmean) + n * channels,
                  1.0F / static_cast<float>(pixels), dx);
              if (has_sums) sums.add_backward(norm, row, end, 0, channels);
            }
          }};
}

/// One layer's dw and db, those that are read, of `dy` in the shared scratch.
void append_layer_gradient(const BindContext& context, const kernels::Conv2dShape& shape,
                           const WeightGradientOperands& where, Bound& bound) {
  if (context.has_output(where.dw)) return append_weight_gradient(context, shape, where, bound);
  if (context.has_output(where.db)) bound.phases.push_back(bias_gradient_phase(shape, where));
}

}  // namespace

Bound bind_squeeze_excite_bwd(const BindContext& context) {
  const auto& attributes = context.op<graph::SqueezeExciteBwd>().attributes;
  const Backward bwd(SqueezeExciteImages(context.input(kX).shape, attributes), attributes);
  Bound bound;
  bound.thread_scratch = static_cast<std::size_t>(bwd.images.channels) * sizeof(double);
  bound.shared_scratch = static_cast<std::size_t>(bwd.end) * sizeof(float);
  bound.phases = {pack_transposed_phase(bwd.expand, kExpandWeight, bwd.expand_weight), gate_phase(bwd),
                  hidden_phase(bwd)};
  WeightGradientOperands where{.x = kHidden, .dw = kDwExpand, .db = kDbExpand};
  where.dy_offset = bwd.dgate;
  where.scratch_offset = bwd.end;
  append_layer_gradient(context, bwd.expand, where, bound);
  where = {.x = kMean, .dw = kDwReduce, .db = kDbReduce};
  where.dy_offset = bwd.dhidden;
  where.scratch_offset = bwd.end;
  append_layer_gradient(context, bwd.reduce, where, bound);
  if (!context.has_output(kDx)) return bound;
  bound.phases.push_back(pack_transposed_phase(bwd.reduce, kReduceWeight));
  bound.phases.push_back(mean_phase(bwd));
  bound.phases.push_back(data_phase(bwd, context.has_output(kSums), context.output(kSums).shape[0]));
  return bound;
}

}  // namespace bramble::engine
