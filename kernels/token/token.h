// Moves of a class token in and out of sequences [N][L][C], copies all. A slice is a range of samples
// [begin, end); tensors are given by their first sample. No aliasing, allocation, threads or state.
#pragma once

#include <cstddef>

namespace bramble::kernels {

/// y[n][0] = token; y[n][1 + l] = x[n][l]. x [N][length][C], y [N][length + 1][C].
void prepend_token_fwd_f32(std::size_t begin, std::size_t end, std::size_t length, std::size_t channels,
                           const float* x, const float* token, float* y);

/// dx[n][l] (=) dy[n][1 + l]. The token's gradient is column_sum_f32 over samples of dy[n][0].
void prepend_token_bwd_f32(std::size_t begin, std::size_t end, std::size_t length, std::size_t channels,
                           const float* dy, float* dx);

/// y[n] = x[n][index]. x [N][length][C], y [N][C].
void select_token_fwd_f32(std::size_t begin, std::size_t end, std::size_t length, std::size_t channels,
                          std::size_t index, const float* x, float* y);

/// dx[n][l] (=) l == index ? dy[n] : 0.
void select_token_bwd_f32(std::size_t begin, std::size_t end, std::size_t length, std::size_t channels,
                          std::size_t index, const float* dy, float* dx);

}  // namespace bramble::kernels
