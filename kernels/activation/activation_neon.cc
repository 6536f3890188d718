#include "kernels/activation/activation_neon.h"

#include <algorithm>

#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

// Bound by memory (relu) or by the FMA pipes (gelu, some 30 instructions): four vectors a turn hide the latency of the
// polynomials' chains and pay for the loop.
template <Activation A>
void forward(std::size_t begin, std::size_t end, const float* x, float* y) {
  std::size_t i = begin;
  if constexpr (A == Activation::gelu) {
    for (; i + 16 <= end; i += 16) gelu_vectors<4>(x + i, y + i);
  }
  for (; i + 16 <= end; i += 16) {
    const float32x4_t y0 = activate_f32x4<A>(vld1q_f32(x + i));
    const float32x4_t y1 = activate_f32x4<A>(vld1q_f32(x + i + 4));
    const float32x4_t y2 = activate_f32x4<A>(vld1q_f32(x + i + 8));
    const float32x4_t y3 = activate_f32x4<A>(vld1q_f32(x + i + 12));
    vst1q_f32(y + i, y0);
    vst1q_f32(y + i + 4, y1);
    vst1q_f32(y + i + 8, y2);
    vst1q_f32(y + i + 12, y3);
  }
  for (; i + 4 <= end; i += 4) vst1q_f32(y + i, activate_f32x4<A>(vld1q_f32(x + i)));
  if (i < end) store_partial_f32(y + i, activate_f32x4<A>(load_partial_f32(x + i, end - i)), end - i);
}

template <Activation A>
void backward(std::size_t begin, std::size_t end, const float* dy, const float* saved, float* dx) {
  const auto four = [&](std::size_t i) { return activation_bwd_f32x4<A>(vld1q_f32(dy + i), vld1q_f32(saved + i)); };
  std::size_t i = begin;
  if constexpr (A == Activation::gelu) {
    for (; i + 16 <= end; i += 16) gelu_bwd_vectors<4>(saved + i, dy + i, dx + i);
  }
  for (; i + 16 <= end; i += 16) {
    const float32x4_t dx0 = four(i);
    const float32x4_t dx1 = four(i + 4);
    const float32x4_t dx2 = four(i + 8);
    const float32x4_t dx3 = four(i + 12);
    vst1q_f32(dx + i, dx0);
    vst1q_f32(dx + i + 4, dx1);
    vst1q_f32(dx + i + 8, dx2);
    vst1q_f32(dx + i + 12, dx3);
  }
  for (; i + 4 <= end; i += 4) vst1q_f32(dx + i, four(i));
  if (i == end) return;
  const std::size_t rest = end - i;
  const float32x4_t last = activation_bwd_f32x4<A>(load_partial_f32(dy + i, rest), load_partial_f32(saved + i, rest));
  store_partial_f32(dx + i, last, rest);
}

}  // namespace

void activation_fwd_f32(Activation activation, std::size_t begin, std::size_t end, const float* x, float* y) {
  switch (activation) {
    case Activation::none:
      if (x != y) std::copy(x + begin, x + end, y + begin);
      return;
    case Activation::relu:
      return forward<Activation::relu>(begin, end, x, y);
    case Activation::relu6:
      return forward<Activation::relu6>(begin, end, x, y);
    case Activation::gelu:
      return forward<Activation::gelu>(begin, end, x, y);
  }
}

void activation_bwd_f32(Activation activation, std::size_t begin, std::size_t end, const float* dy, const float* saved,
                        float* dx) {
  switch (activation) {
    case Activation::none:
      if (dy != dx) std::copy(dy + begin, dy + end, dx + begin);
      return;
    case Activation::relu:
      return backward<Activation::relu>(begin, end, dy, saved, dx);
    case Activation::relu6:
      return backward<Activation::relu6>(begin, end, dy, saved, dx);
    case Activation::gelu:
      return backward<Activation::gelu>(begin, end, dy, saved, dx);
  }
}

}  // namespace bramble::kernels
