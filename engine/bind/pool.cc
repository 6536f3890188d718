#include "kernels/pool/pool.h"

#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "graph/ops/pool.h"

namespace bramble::engine {
namespace {

std::size_t extent(const graph::TensorSpec& spec, std::size_t axis) {
  return static_cast<std::size_t>(spec.shape[axis]);
}

enum MaxPoolOutput { kY, kArgmax };

kernels::PoolShape pool_shape(const graph::Pool2dAttributes& attributes, const graph::TensorSpec& x,
                              const graph::TensorSpec& y) {
  return {extent(x, 0), extent(x, 1), extent(x, 2), extent(x, 3), extent(y, 1), extent(y, 2),
          static_cast<std::size_t>(attributes.kernel), static_cast<std::size_t>(attributes.stride),
          static_cast<std::size_t>(attributes.padding)};
}

// One row at a time is fine for these kernels.
Slices output_rows(const kernels::PoolShape& shape) {
  return slice_rows(shape.batch * shape.out_height, shape.out_width * shape.channels, 1);
}
Slices input_rows(const kernels::PoolShape& shape) {
  return slice_rows(shape.batch * shape.height, shape.width * shape.channels, 1);
}

}  // namespace

Bound bind_max_pool2d(const BindContext& context) {
  const auto shape = pool_shape(context.op<graph::MaxPool2d>().attributes, context.input(0), context.output(kY));
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
