// Stochastic depth (Huang et al., 2016): a sample's residual branch is kept with probability 1 - rate, and divided by it, or
// left out as a whole. The stream alone says which: nothing is stored for the gradient. Stateless; no allocation, no
// threads.
#pragma once

#include <cstddef>

#include "kernels/random/philox.h"

namespace bramble::kernels {

/// 0, where the stream's word `sample` lies below drop_threshold(rate), or 1 / (1 - rate). 0 <= rate < 1.
inline float drop_path_factor(const RandomStream& stream, float rate, std::size_t sample) {
  return stream.word(sample) < drop_threshold(rate) ? 0.0F : 1 / (1 - rate);
}

/// for (i = begin; i < end; ++i) y[i] = (factor == 0 ? 0 : factor * x[i]) + (addend ? addend[i] : 0);
/// y may be x or addend. Also the gradient: dx of dy.
void drop_path_f32(float factor, std::size_t begin, std::size_t end, const float* x, const float* addend, float* y);
void drop_path_f32_ref(float factor, std::size_t begin, std::size_t end, const float* x, const float* addend, float* y);

}  // namespace bramble::kernels
