#include "graph/ops/conv2d.h"

#include "engine/bind/convolution.h"
#include "engine/bind/convolution_batchnorm.h"
#include "engine/bind/ops.h"

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
          attributes.groups};
}

}  // namespace

Bound bind_conv2d(const BindContext& context) {
  const auto& attributes = context.op<graph::Conv2d>().attributes;
  const kernels::Conv2dShape shape = kernel_shape(attributes, context.input(0).shape);
  if (context.has_output(2) || attributes.normalisation)
    return bind_convolution_batchnorm(context, shape, attributes.activation, attributes.normalisation);
  return bind_convolution(context, shape, attributes.activation);
}

Bound bind_conv2d_bwd_data(const BindContext& context) {
  const auto& op = context.op<graph::Conv2dBwdData>();
  return bind_convolution_bwd_data(context, kernel_shape(op.attributes, op.input_shape));
}

Bound bind_conv2d_bwd_weight(const BindContext& context) {
  const auto& op = context.op<graph::Conv2dBwdWeight>();
  return bind_convolution_bwd_weight(context, kernel_shape(op.attributes, context.input(0).shape));
}

}  // namespace bramble::engine
