// Sums over the rows of a matrix: biases' gradients, and the last step of every reduction that was cut into slices.
#pragma once

#include <cstddef>

namespace bramble::kernels {

/// for (c = column_begin; c < column_end; ++c) {
///   sum[c] = 0;
///   for (r = row_begin; r < row_end; ++r) sum[c] += x[r * row_stride + c];
/// }
/// sum is written (=). Summed in float over at most 64 rows at a time, in double beyond, rounded once at the end; the
/// order depends on the row range alone. Row stride in elements. No aliasing; any alignment.
void column_sum_f32(std::size_t row_begin, std::size_t row_end, std::size_t column_begin, std::size_t column_end,
                    std::size_t row_stride, const float* x, float* sum);

void column_sum_f32_ref(std::size_t row_begin, std::size_t row_end, std::size_t column_begin, std::size_t column_end,
                        std::size_t row_stride, const float* x, float* sum);

}  // namespace bramble::kernels
