#include "kernels/resize/resize.h"

#include <stdexcept>

#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "graph/ops/resize.h"

namespace bramble::engine {
namespace {

kernels::ResizeMode to_kernel(graph::ResizeMode mode) {
  switch (mode) {
    case graph::ResizeMode::nearest:
      return kernels::ResizeMode::nearest;
    case graph::ResizeMode::bilinear:
      return kernels::ResizeMode::bilinear;
    case graph::ResizeMode::bilinear_corners:
      return kernels::ResizeMode::bilinear_corners;
    case graph::ResizeMode::adaptive_average:
      return kernels::ResizeMode::adaptive_average;
  }
  throw std::logic_error("no such mode of resize");
}

kernels::ResizeShape resize_shape(const graph::Shape& x, const graph::Shape& y) {
  const auto extent = [](std::int64_t value) { return static_cast<std::size_t>(value); };
  return {extent(x[0]), extent(x[1]), extent(x[2]), extent(x[3]), extent(y[1]), extent(y[2])};
}

}  // namespace

Bound bind_resize(const BindContext& context) {
  const auto mode = to_kernel(context.op<graph::Resize>().mode);
  const auto shape = resize_shape(context.input(0).shape, context.output(0).shape);
  const Slices slices = slice_rows(shape.batch * shape.out_height, shape.out_width * shape.channels, 1);
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             kernels::resize_fwd_f32(mode, shape, slices.begin(task), slices.end(task), o.in<float>(0),
                                     o.out<float>(0));
           }}}};
}

Bound bind_resize_bwd(const BindContext& context) {
  const auto mode = to_kernel(context.op<graph::ResizeBwd>().mode);
  const auto shape = resize_shape(context.output(0).shape, context.input(0).shape);
  const Slices slices = slice_rows(shape.batch * shape.height, shape.width * shape.channels, 1);
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             kernels::resize_bwd_f32(mode, shape, slices.begin(task), slices.end(task), o.in<float>(0),
                                     o.out<float>(0));
           }}}};
}

}  // namespace bramble::engine
