// Ranges of channels moved between tensors of different widths: what concatenation and split along the last dimension,
// and the gradients of both, are made of. fp32. No allocation, threads or state.
#pragma once

#include <cstddef>

namespace bramble::kernels {

/// for (r = row_begin; r < row_end; ++r)
///   for (c = 0; c < channels; ++c) y[r * y_pitch + c] = x[r * x_pitch + c];
/// Pitches in elements, at least `channels`. With x null, zeros. x and y do not overlap. Any alignment (of 4 bytes).
void copy_channels_f32(std::size_t row_begin, std::size_t row_end, std::size_t channels, const float* x,
                       std::size_t x_pitch, float* y, std::size_t y_pitch);
void copy_channels_f32_ref(std::size_t row_begin, std::size_t row_end, std::size_t channels, const float* x,
                           std::size_t x_pitch, float* y, std::size_t y_pitch);

}  // namespace bramble::kernels
