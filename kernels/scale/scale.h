// A factor for each channel of x[M][C], dense rows. A slice is a range of rows; matrices are given by their first row.
// Any C and alignment (of 4 bytes). No allocation, threads or state.
#pragma once

#include <cstddef>

namespace bramble::kernels {

/// y[r][c] = x[r][c] * gamma[c], row_begin <= r < row_end. y may be x.
void scale_fwd_f32(std::size_t row_begin, std::size_t row_end, std::size_t channels, const float* x,
                   const float* gamma, float* y);

/// dx[r][c] (=) dy[r][c] * gamma[c]; dgamma[c] (=) sum over the slice's rows of dy[r][c] * x[r][c].
/// Either may be nullptr; x is read for dgamma alone. dx may be dy or x. dgamma is summed in float: keep a slice to
/// some hundred rows and add slices with column_sum_f32.
void scale_bwd_f32(std::size_t row_begin, std::size_t row_end, std::size_t channels, const float* dy, const float* x,
                   const float* gamma, float* dx, float* dgamma);

void scale_fwd_f32_ref(std::size_t row_begin, std::size_t row_end, std::size_t channels, const float* x,
                       const float* gamma, float* y);
void scale_bwd_f32_ref(std::size_t row_begin, std::size_t row_end, std::size_t channels, const float* dy,
                       const float* x, const float* gamma, float* dx, float* dgamma);

}  // namespace bramble::kernels
