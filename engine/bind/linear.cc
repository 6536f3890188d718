#include "graph/ops/linear.h"

#include "engine/bind/convolution.h"
#include "engine/bind/ops.h"

namespace bramble::engine {
namespace {

// All leading dimensions are one row of pixels.
kernels::Conv2dShape kernel_shape(const graph::Shape& x, std::int64_t out_features) {
  kernels::Conv2dShape shape;
  shape.in_channels = x.back();
  shape.in_width = graph::element_count(x) / x.back();
  shape.out_channels = out_features;
  return shape;
}

}  // namespace

Bound bind_linear(const BindContext& context) {
  const auto& attributes = context.op<graph::Linear>().attributes;
  const kernels::Conv2dShape shape = kernel_shape(context.input(0).shape, attributes.out_features);
  return bind_convolution(context, shape, attributes.activation);
}

Bound bind_linear_bwd_data(const BindContext& context) {
  return bind_convolution_bwd_data(context,
                                   kernel_shape(context.output(0).shape, context.input(0).shape.back()));
}

Bound bind_linear_bwd_weight(const BindContext& context) {
  return bind_convolution_bwd_weight(context, kernel_shape(context.input(0).shape, context.input(1).shape.back()));
}

}  // namespace bramble::engine
