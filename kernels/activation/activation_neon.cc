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
  for (; i + 16 <= end; i += 16) activate_vectors<A, 4>(x + i, y + i);
  for (; i + 4 <= end; i += 4) activate_vectors<A, 1>(x + i, y + i);
  if (i < end) store_partial_f32(y + i, activate_f32x4<A>(load_partial_f32(x + i, end - i)), end - i);
}

template <Activation A>
void backward(std::size_t begin, std::size_t end, const float* dy, const float* saved, float* dx) {
  std::size_t i = begin;
  for (; i + 16 <= end; i += 16) activation_bwd_vectors<A, 4>(dy + i, saved + i, dx + i);
  for (; i + 4 <= end; i += 4) activation_bwd_vectors<A, 1>(dy + i, saved + i, dx + i);
  if (i == end) return;
  const std::size_t rest = end - i;
  const float32x4_t last = activation_bwd_f32x4<A>(load_partial_f32(dy + i, rest), load_partial_f32(saved + i, rest));
  store_partial_f32(dx + i, last, rest);
}

}  // namespace

void activation_fwd_f32(Activation activation, std::size_t begin, std::size_t end, const float* x, float* y) {
  if (activation == Activation::none && x == y) return;
  dispatch_activation(activation, [&]<Activation A>() { forward<A>(begin, end, x, y); });
}

void activation_bwd_f32(Activation activation, std::size_t begin, std::size_t end, const float* dy, const float* saved,
                        float* dx) {
  if (activation == Activation::none) {  // nothing is saved for it
    if (dy != dx) std::copy(dy + begin, dy + end, dx + begin);
    return;
  }
  dispatch_activation(activation, [&]<Activation A>() { backward<A>(begin, end, dy, saved, dx); });
}

}  // namespace bramble::kernels
