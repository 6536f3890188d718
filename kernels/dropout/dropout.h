// Dropout: every element is kept with probability 1 - rate, and divided by it, or set to zero. Which, the element's index
// and the stream alone say: the mask is made again for the gradient, never stored. Stateless; no allocation, no threads.
#pragma once

#include <cstddef>

#include "kernels/random/philox.h"

namespace bramble::kernels {

/// for (i = begin; i < end; ++i) y[i] = stream.word(i) < drop_threshold(rate) ? 0 : x[i] / (1 - rate);
/// 0 <= rate < 1; begin is a multiple of 16. y may be x. Also the gradient: dx of dy.
void dropout_f32(const RandomStream& stream, float rate, std::size_t begin, std::size_t end, const float* x, float* y);
void dropout_f32_ref(const RandomStream& stream, float rate, std::size_t begin, std::size_t end, const float* x,
                     float* y);

}  // namespace bramble::kernels
