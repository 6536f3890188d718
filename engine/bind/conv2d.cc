#include "graph/ops/conv2d.h"

#include "engine/bind/channel_sums.h"
#include "engine/bind/convolution.h"
#include "engine/bind/convolution_batchnorm.h"
#include "engine/bind/ops.h"
#include "engine/bind/weight_update.h"
#include "engine/bind/winograd_conv2d.h"

namespace bramble::engine {
namespace {

kernels::Conv2dShape kernel_shape(const graph::Conv2dAttributes& attributes, const graph::Shape& x) {
  return {x[0],
          x[1],
          x[2],
          x[3],
          attributes.out_channels,
          attributes.kernel_h,
          attributes.kernel_w,
          attributes.stride,
          attributes.padding,
          attributes.dilation,
          attributes.groups,
          attributes.extra_padding};
}

/// dx's sums in a pass of their own, where its rows are not made one after the other.
Phase backward_sums_phase(const BindContext& context, const graph::Conv2dBwdData& op) {
  const std::int64_t channels = op.input_shape.back();
  const int output = op.channel_sums_output();
  const SumParts parts{graph::element_count(op.input_shape) / channels, context.output(output).shape[0]};
  const BackwardSums backward_sums(context, op.sums_for, op.backward_sums_input(), channels);
  return {parts.count, [=](const Operands& o, std::int64_t part, std::byte*) {
            const PartSums sums(o.out<double>(output), part, channels);
            sums.clear(0, channels);
            backward_sums.add(o, sums, o.out<float>(0), parts.begin(part), parts.end(part), 0, channels);
          }};
}

}  // namespace

Bound bind_conv2d(const BindContext& context) {
  const auto& attributes = context.op<graph::Conv2d>().attributes;
  const kernels::Conv2dShape shape = kernel_shape(attributes, context.input(0).shape);
  if (const auto tile = winograd_fwd_tile(shape, attributes.frozen); tile && !attributes.normalisation)
    return bind_winograd_conv2d(context, shape, *tile, attributes.activation);
  if (context.has_output(2) || attributes.normalisation)
    return bind_convolution_batchnorm(context, shape, attributes);
  return bind_convolution(context, shape, attributes.activation);
}

Bound bind_conv2d_bwd_data(const BindContext& context) {
  const auto& op = context.op<graph::Conv2dBwdData>();
  const kernels::Conv2dShape shape = kernel_shape(op.attributes, op.input_shape);
  if (takes_winograd_bwd_data(shape)) return bind_winograd_conv2d_bwd_data(context, shape);
  Bound bound = bind_convolution_bwd_data(context, shape);
  if (op.sums_for) bound.phases.push_back(backward_sums_phase(context, op));
  return bound;
}

Bound bind_conv2d_bwd_weight(const BindContext& context) {
  const auto& op = context.op<graph::Conv2dBwdWeight>();
  const kernels::Conv2dShape shape = kernel_shape(op.attributes, context.input(0).shape);
  if (needs_gradient(context, 0) && takes_winograd_bwd_weight(shape))
    return bind_winograd_conv2d_bwd_weight(context, shape);
  return bind_convolution_bwd_weight(context, shape);
}

}  // namespace bramble::engine
