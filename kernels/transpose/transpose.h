// A matrix's transpose, y[j][i] = x[i][j] + addend[j][i], for layers that mix tokens instead of channels. Dense x
// [rows][cols], y and addend [cols][rows], any extents and alignment (of 4 bytes). A slice is a range of y's rows. No
// allocation, threads or state.
#pragma once

#include <cstddef>

namespace bramble::kernels {

struct TransposeShape {
  std::size_t rows = 0;  ///< of x
  std::size_t cols = 0;
};

/// y's rows [begin, end) (=); addend may be null (0) and may be y. y may not be x. For speed let slices begin at
/// multiples of 16.
void transpose_fwd_f32(const TransposeShape& shape, std::size_t begin, std::size_t end, const float* x,
                       const float* addend, float* y);

void transpose_fwd_f32_ref(const TransposeShape& shape, const float* x, const float* addend, float* y);

}  // namespace bramble::kernels
