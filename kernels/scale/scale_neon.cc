#include "kernels/scale/scale.h"

#include <algorithm>

#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

// Four rows share the loads of the per-channel vectors, and the store of their sum.
template <int Rows>
void forward_rows(std::size_t channels, const float* x, const float* gamma, float* y) {
  for_each_vector(0, channels, [&](auto lanes, std::size_t c) {
    const float32x4_t factor = lanes.load(gamma + c);
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) {
      const std::size_t i = r * channels + c;
      lanes.store(y + i, vmulq_f32(lanes.load(x + i), factor));
    }
  });
}

template <int Rows>
void backward_rows(std::size_t channels, const float* dy, const float* x, const float* gamma, float* dx,
                   float* dgamma) {
  for_each_vector(0, channels, [&](auto lanes, std::size_t c) {
    const float32x4_t factor = lanes.load(gamma + c);
    float32x4_t sum = lanes.load(dgamma + c);
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) {
      const std::size_t i = r * channels + c;
      const float32x4_t gradient = lanes.load(dy + i);
      sum = vfmaq_f32(sum, gradient, lanes.load(x + i));
      if (dx != nullptr) lanes.store(dx + i, vmulq_f32(gradient, factor));
    }
    lanes.store(dgamma + c, sum);
  });
}

}  // namespace

void scale_fwd_f32(std::size_t row_begin, std::size_t row_end, std::size_t channels, const float* x,
                   const float* gamma, float* y) {
  std::size_t r = row_begin;
  for (; r + 4 <= row_end; r += 4) forward_rows<4>(channels, x + r * channels, gamma, y + r * channels);
  for (; r < row_end; ++r) forward_rows<1>(channels, x + r * channels, gamma, y + r * channels);
}

void scale_bwd_f32(std::size_t row_begin, std::size_t row_end, std::size_t channels, const float* dy, const float* x,
                   const float* gamma, float* dx, float* dgamma) {
  if (dgamma == nullptr) return scale_fwd_f32(row_begin, row_end, channels, dy, gamma, dx);
  std::fill_n(dgamma, channels, 0.0f);
  const auto out = [&](std::size_t r) { return dx == nullptr ? nullptr : dx + r * channels; };
  std::size_t r = row_begin;
  for (; r + 4 <= row_end; r += 4) {
    backward_rows<4>(channels, dy + r * channels, x + r * channels, gamma, out(r), dgamma);
  }
  for (; r < row_end; ++r) backward_rows<1>(channels, dy + r * channels, x + r * channels, gamma, out(r), dgamma);
}

}  // namespace bramble::kernels
