// Every value several times in a row, as torch.repeat_interleave makes it of the last dimension: what a grouped
// convolution with more than one output for each of its input channels reads, to be a depthwise one. fp32. No
// allocation, threads or state; any alignment (of 4 bytes). x and y do not overlap.
#pragma once

#include <cstddef>

namespace bramble::kernels {

/// y[times * i + t] = x[i] for t < times, begin <= i < end.
void repeat_interleave_fwd_f32(std::size_t begin, std::size_t end, std::size_t times, const float* x, float* y);
void repeat_interleave_fwd_f32_ref(std::size_t begin, std::size_t end, std::size_t times, const float* x, float* y);

/// dx[i] (=) sum over t < times of dy[times * i + t], begin <= i < end.
void repeat_interleave_bwd_f32(std::size_t begin, std::size_t end, std::size_t times, const float* dy, float* dx);
void repeat_interleave_bwd_f32_ref(std::size_t begin, std::size_t end, std::size_t times, const float* dy, float* dx);

}  // namespace bramble::kernels
