// A bias that repeats along a tensor: x seen as [rows][size], b as [size]. Its gradient is column_sum_f32 of dy.
#pragma once

#include <cstddef>

namespace bramble::kernels {

/// for (i = begin; i < end; ++i) y[i] = x[i] + b[i % size];
/// y may be x. Any alignment (of 4 bytes). No allocation, threads or state.
void bias_fwd_f32(std::size_t begin, std::size_t end, std::size_t size, const float* x, const float* b, float* y);

void bias_fwd_f32_ref(std::size_t begin, std::size_t end, std::size_t size, const float* x, const float* b, float* y);

}  // namespace bramble::kernels
