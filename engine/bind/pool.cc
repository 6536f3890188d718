#include "kernels/pool/pool.h"

#include <algorithm>

#include "engine/bind/activation.h"
#include "engine/bind/channel_sums.h"
#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "engine/bind/unpooling.h"
#include "graph/ops/pool.h"

namespace bramble::engine {
namespace {

std::size_t extent(const graph::TensorSpec& spec, std::size_t axis) {
  return static_cast<std::size_t>(spec.shape[axis]);
}

enum MaxPoolInput { kX, kMean };
enum MaxPoolOutput { kY, kArgmax };

// One row at a time is fine for these kernels.
Slices output_rows(const kernels::PoolShape& shape) {
  return slice_rows(shape.batch * shape.out_height, shape.out_width * shape.channels, 1);
}
Slices input_rows(const kernels::PoolShape& shape) {
  return slice_rows(shape.batch * shape.height, shape.width * shape.channels, 1);
}

/// Of an x that comes through a BatchNorm: the rows that a few of y's see are normalised, then pooled.
Bound bind_normalised_max_pool2d(const BindContext& context, const kernels::PoolShape& shape) {
  const std::size_t row_elements = shape.width * shape.channels;
  const std::size_t seen = std::max(rows_in_cache(row_elements, context.caches.l2), shape.kernel);
  const std::size_t step = (seen - shape.kernel) / shape.stride + 1;
  const Slices slices = output_rows(shape);
  Phase phase{slices.count, [=, kind = to_kernel(*context.op<graph::MaxPool2d>().normalisation)](
                                const Operands& o, std::int64_t task, std::byte* thread_scratch) {
                const kernels::BatchnormAffine affine = normalisation(o, kMean, kind).affine;
                float* const normalised = reinterpret_cast<float*>(thread_scratch);
                std::size_t end = 0;
                for (std::size_t row = slices.begin(task); row < slices.end(task); row = end) {
                  const std::size_t image_end = (row / shape.out_height + 1) * shape.out_height;
                  end = std::min({row + step, slices.end(task), image_end});
                  const kernels::PoolRows rows = kernels::pooled_rows(shape, row, end);
                  kernels::batchnorm_fwd_f32(kind, 0, (rows.end - rows.begin) * shape.width, shape.channels,
                                             o.in<float>(kX) + rows.begin * row_elements, affine, nullptr, normalised);
                  kernels::max_pool2d_fwd_f32(shape, row, end, normalised, o.out<float>(kY),
                                              o.out<std::uint8_t>(kArgmax), rows.begin);
                }
              }};
  return {{std::move(phase)}, 0, seen * row_elements * sizeof(float)};
}

}  // namespace

kernels::PoolShape pool_shape(const graph::Pool2dAttributes& attributes, const graph::TensorSpec& x,
                              const graph::TensorSpec& y) {
  return {extent(x, 0), extent(x, 1), extent(x, 2), extent(x, 3), extent(y, 1), extent(y, 2),
          static_cast<std::size_t>(attributes.kernel), static_cast<std::size_t>(attributes.stride),
          static_cast<std::size_t>(attributes.padding)};
}

std::size_t rows_in_cache(std::size_t row_elements, std::size_t l2_bytes) {
  return std::max<std::size_t>(1, l2_bytes / 16 * 7 / sizeof(float) / row_elements);
}

Bound bind_max_pool2d(const BindContext& context) {
  const auto& op = context.op<graph::MaxPool2d>();
  const auto shape = pool_shape(op.attributes, context.input(0), context.output(kY));
  if (op.normalisation) return bind_normalised_max_pool2d(context, shape);
  const Slices slices = output_rows(shape);
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             kernels::max_pool2d_fwd_f32(shape, slices.begin(task), slices.end(task), o.in<float>(0),
                                         o.out<float>(kY), o.out<std::uint8_t>(kArgmax));
           }}}};
}

Bound bind_max_pool2d_bwd(const BindContext& context) {
  const auto shape =
      pool_shape(context.op<graph::MaxPool2dBwd>().attributes, context.output(0), context.input(0));
  const Slices slices = input_rows(shape);
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             kernels::max_pool2d_bwd_f32(shape, slices.begin(task), slices.end(task), o.in<float>(0),
                                         o.in<std::uint8_t>(1), o.out<float>(0));
           }}}};
}

Bound bind_avg_pool2d(const BindContext& context) {
  const auto& attributes = context.op<graph::AvgPool2d>().attributes;
  const auto shape = pool_shape(attributes, context.input(0), context.output(0));
  const bool count_include_pad = attributes.count_include_pad;
  const Slices slices = output_rows(shape);
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             kernels::avg_pool2d_fwd_f32(shape, count_include_pad, slices.begin(task), slices.end(task),
                                         o.in<float>(0), o.out<float>(0));
           }}}};
}

Bound bind_avg_pool2d_bwd(const BindContext& context) {
  const auto& attributes = context.op<graph::AvgPool2dBwd>().attributes;
  const auto shape = pool_shape(attributes, context.output(0), context.input(0));
  const bool count_include_pad = attributes.count_include_pad;
  const Slices slices = input_rows(shape);
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             kernels::avg_pool2d_bwd_f32(shape, count_include_pad, slices.begin(task), slices.end(task),
                                         o.in<float>(0), o.out<float>(0));
           }}}};
}

Bound bind_global_avg_pool(const BindContext& context) {
  const std::size_t pixels = extent(context.input(0), 1) * extent(context.input(0), 2);
  const std::size_t channels = extent(context.input(0), 3);
  return {{{context.input(0).shape[0], [=](const Operands& o, std::int64_t task, std::byte*) {
              const auto n = static_cast<std::size_t>(task);
              kernels::global_avg_pool_fwd_f32(n, n + 1, pixels, channels, o.in<float>(0), o.out<float>(0));
            }}}};
}

Bound bind_global_avg_pool_bwd(const BindContext& context) {
  const std::size_t pixels = extent(context.output(0), 1) * extent(context.output(0), 2);
  const std::size_t channels = extent(context.output(0), 3);
  return {{{context.output(0).shape[0], [=](const Operands& o, std::int64_t task, std::byte*) {
              const auto n = static_cast<std::size_t>(task);
              kernels::global_avg_pool_bwd_f32(n, n + 1, pixels, channels, o.in<float>(0), o.out<float>(0));
            }}}};
}

}  // namespace bramble::engine
