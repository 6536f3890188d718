// The points' sums back to pixels.
#pragma once

#include "kernels/winograd_conv2d/winograd_conv2d.h"

namespace bramble::kernels {

/// Pixels of y = epilogue(A^T sums A) for the block's tiles and channels; `tiles` describes y (first is 0). Point p of
/// the block's tile i and channel j is sums[p * point_stride + i * row_stride + j]. The epilogue's bias has y's
/// channels, its residual and preactivation lie like y.
void winograd_inverse_f32(WinogradTile tile, const WinogradTiles& tiles, const float* sums, std::int64_t point_stride,
                          std::int64_t row_stride, const WinogradBlock& block, const GemmEpilogue& epilogue, float* y);

}  // namespace bramble::kernels
