#include <algorithm>

#include "kernels/repeat_interleave/repeat_interleave.h"
#include "kernels/simd/neon.h"

namespace bramble::kernels {
namespace {

// Twice is what networks have: whole vectors, as the bus is the limit. More often, value by value.
constexpr std::size_t kTurn = 16;

void repeat_each(std::size_t begin, std::size_t end, std::size_t times, const float* x, float* y) {
  for (std::size_t i = begin; i < end; ++i) std::fill_n(y + times * i, times, x[i]);
}

void add_each(std::size_t begin, std::size_t end, std::size_t times, const float* dy, float* dx) {
  for (std::size_t i = begin; i < end; ++i) {
    float sum = dy[times * i];
    for (std::size_t t = 1; t < times; ++t) sum += dy[times * i + t];
    dx[i] = sum;
  }
}

}  // namespace

void repeat_interleave_fwd_f32(std::size_t begin, std::size_t end, std::size_t times, const float* x, float* y) {
  if (times != 2) return repeat_each(begin, end, times, x, y);
  for (; begin + kTurn <= end; begin += kTurn) {
#pragma GCC unroll 4
    for (std::size_t i = begin; i < begin + kTurn; i += 4) {
      const float32x4_t value = vld1q_f32(x + i);
      vst1q_f32(y + 2 * i, vzip1q_f32(value, value));
      vst1q_f32(y + 2 * i + 4, vzip2q_f32(value, value));
    }
  }
  repeat_each(begin, end, times, x, y);
}

void repeat_interleave_bwd_f32(std::size_t begin, std::size_t end, std::size_t times, const float* dy, float* dx) {
  if (times != 2) return add_each(begin, end, times, dy, dx);
  for (; begin + kTurn <= end; begin += kTurn) {
#pragma GCC unroll 4
    for (std::size_t i = begin; i < begin + kTurn; i += 4)
      vst1q_f32(dx + i, vpaddq_f32(vld1q_f32(dy + 2 * i), vld1q_f32(dy + 2 * i + 4)));
  }
  add_each(begin, end, times, dy, dx);
}

}  // namespace bramble::kernels
