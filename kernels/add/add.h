// Sum of two tensors, with an activation. No allocation, threads or state.
#pragma once

#include <cstddef>

#include "kernels/activation/activation.h"

namespace bramble::kernels {

/// for (i = begin; i < end; ++i) y[i] = f(a[i] + b[i]);
/// y may be a or b; a may be b. Any alignment (of 4 bytes). f: none, relu, relu6.
void add_fwd_f32(Activation activation, std::size_t begin, std::size_t end, const float* a, const float* b, float* y);

void add_fwd_f32_ref(Activation activation, std::size_t begin, std::size_t end, const float* a, const float* b,
                     float* y);

}  // namespace bramble::kernels
