// PoolFormer's token mixer with its layer scale and residual, in one pass:
//   pool(x)[n][h][w][c] = mean of x over the (2 radius + 1)^2 pixels around (h, w) that lie inside the image
//   y = x + gamma[c] * (pool(x) - x), the first x only with a residual
// fp32, NHWC, dense. No allocation, threads or state; any alignment (of 4 bytes).
#pragma once

#include <cstddef>

namespace bramble::kernels {

struct PoolMixerShape {
  std::size_t batch = 1;
  std::size_t height = 1;
  std::size_t width = 1;
  std::size_t channels = 1;
  std::size_t radius = 1;
  bool residual = true;
};

/// y (=), for rows [row_begin, row_end) of the batch * height rows. gamma may be null (1).
void pool_mixer_fwd_f32(const PoolMixerShape& shape, std::size_t row_begin, std::size_t row_end, const float* x,
                        const float* gamma, float* y);
void pool_mixer_fwd_f32_ref(const PoolMixerShape& shape, const float* x, const float* gamma, float* y);

/// With t = pool^T(dy) - dy, pool^T being pool's transpose, for rows [row_begin, row_end):
///   dx (=) dy + gamma * t, the first dy only with a residual;   dgamma[c] (=) sum over the rows of x * t
/// dx or dgamma may be null; x is read for dgamma alone. dgamma is summed in float: keep to some hundred pixels a call and
/// add the calls' with column_sum_f32.
void pool_mixer_bwd_f32(const PoolMixerShape& shape, std::size_t row_begin, std::size_t row_end, const float* dy,
                        const float* x, const float* gamma, float* dx, float* dgamma);
void pool_mixer_bwd_f32_ref(const PoolMixerShape& shape, const float* dy, const float* x, const float* gamma,
                            float* dx, float* dgamma);

}  // namespace bramble::kernels
