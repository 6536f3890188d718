// A weight gradient's points back to the weight, for the by-weight kernel.
#pragma once

#include "kernels/winograd_conv2d/winograd_conv2d.h"

namespace bramble::kernels {

/// dw = G^T points G for `count` elements (a multiple of 4): point p of element i is points[p * point_stride + i], tap
/// t of it dw[t * tap_stride + i].
void winograd_weight_gradient_f32(WinogradTile tile, const float* points, std::int64_t point_stride, std::int64_t count,
                                  float* dw, std::int64_t tap_stride);

}  // namespace bramble::kernels
