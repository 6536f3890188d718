// A weighted sum in place: moving averages, and gradients summed over several batches.
#pragma once

#include <cstddef>

namespace bramble::kernels {

/// for (i = begin; i < end; ++i) y[i] = keep * y[i] + share * x[i];
/// With keep = 0, y is only written. No aliasing; any alignment (of 4 bytes). No allocation, threads or state.
void blend_f32(float keep, float share, std::size_t begin, std::size_t end, float* y, const float* x);

void blend_f32_ref(float keep, float share, std::size_t begin, std::size_t end, float* y, const float* x);

}  // namespace bramble::kernels
