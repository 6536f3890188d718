// What a norm over many tensors is made of.
#pragma once

#include <cstddef>

namespace bramble::kernels {

/// The sum of x[i] * x[i] over begin <= i < end, in double. Any alignment (of 4 bytes). No allocation, threads or state.
double sum_of_squares_f32(std::size_t begin, std::size_t end, const float* x);

double sum_of_squares_f32_ref(std::size_t begin, std::size_t end, const float* x);

}  // namespace bramble::kernels
