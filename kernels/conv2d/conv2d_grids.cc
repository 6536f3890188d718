#include "kernels/conv2d/conv2d_grids.h"

#include <algorithm>
#include <numeric>

namespace bramble::kernels {
namespace {

PatchAxis forward_axis(std::int64_t in, std::int64_t out, std::int64_t kernel, const Conv2dShape& shape) {
  return {out, in, shape.stride, kernel, -shape.padding, shape.dilation};
}

// dx[i] takes dy[o] * w[k] wherever i = o * stride + k * dilation - padding. With i = phase + stride * g that is
// o = g + (phase + padding - k * dilation) / stride for those k where the division leaves nothing; they repeat every
// stride / gcd(stride, dilation) kernel positions.
BwdDataAxis backward_axis(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t phase,
                          const Conv2dShape& shape) {
  BwdDataAxis result;
  result.kernel_step = shape.stride / std::gcd(shape.stride, shape.dilation);
  const auto reach = [&](std::int64_t k) { return phase + shape.padding - k * shape.dilation; };
  std::int64_t k = 0;
  while (k < result.kernel_step && reach(k) % shape.stride != 0) ++k;
  result.first_kernel = k;
  PatchAxis& axis = result.axis;
  axis.extent = std::max<std::int64_t>(0, (in - phase + shape.stride - 1) / shape.stride);
  axis.source = out;
  axis.step = 1;
  axis.taps = k < result.kernel_step && k < kernel ? (kernel - k + result.kernel_step - 1) / result.kernel_step : 0;
  axis.first = axis.taps > 0 ? reach(k) / shape.stride : 0;
  axis.delta = -(result.kernel_step * shape.dilation) / shape.stride;
  return result;
}

}  // namespace

PatchGrid conv2d_fwd_grid(const Conv2dShape& shape) {
  return {forward_axis(shape.in_height, shape.out_height(), shape.kernel_height, shape),
          forward_axis(shape.in_width, shape.out_width(), shape.kernel_width, shape), shape.in_per_group(),
          shape.in_channels};
}

BwdDataPhase conv2d_bwd_data_phase(const Conv2dShape& shape, std::int64_t phase) {
  BwdDataPhase result;
  result.y = backward_axis(shape.in_height, shape.out_height(), shape.kernel_height, phase / shape.stride, shape);
  result.x = backward_axis(shape.in_width, shape.out_width(), shape.kernel_width, phase % shape.stride, shape);
  result.grid = {result.y.axis, result.x.axis, shape.out_per_group(), shape.out_channels};
  return result;
}

std::int64_t conv2d_bwd_data_phases(const Conv2dShape& shape) { return shape.stride * shape.stride; }

std::int64_t conv2d_bwd_data_rows(const Conv2dShape& shape, std::int64_t phase) {
  return conv2d_bwd_data_phase(shape, phase).grid.rows(shape.batch);
}

std::int64_t conv2d_bwd_data_depth(const Conv2dShape& shape, std::int64_t phase) {
  return conv2d_bwd_data_phase(shape, phase).grid.depth();
}

std::int64_t conv2d_bwd_data_weight_offset(const Conv2dShape& shape, std::int64_t group, std::int64_t phase) {
  std::int64_t before = 0;
  for (std::int64_t p = 0; p < phase; ++p) before += conv2d_bwd_data_depth(shape, p);
  const std::int64_t group_depth = shape.kernel_height * shape.kernel_width * shape.out_per_group();
  return gemm_b_elements(group * group_depth + before, shape.in_per_group());
}

std::int64_t conv2d_bwd_data_weight_elements(const Conv2dShape& shape) {
  return conv2d_bwd_data_weight_offset(shape, shape.groups, 0);
}

}  // namespace bramble::kernels
