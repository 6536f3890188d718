#include "kernels/add/add.h"

#include "kernels/activation/activation_neon.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

// Bound by memory: four vectors a turn pay for the loop.
template <Activation A>
void add(std::size_t begin, std::size_t end, const float* a, const float* b, float* y) {
  std::size_t i = begin;
  for (; i + 16 <= end; i += 16) {
    float32x4_t sum[4];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < 4; ++v) sum[v] = vaddq_f32(vld1q_f32(a + i + 4 * v), vld1q_f32(b + i + 4 * v));
#pragma GCC unroll 4
    for (std::size_t v = 0; v < 4; ++v) vst1q_f32(y + i + 4 * v, activate_f32x4<A>(sum[v]));
  }
  for_each_vector(i, end, [&](auto lanes, std::size_t j) {
    lanes.store(y + j, activate_f32x4<A>(vaddq_f32(lanes.load(a + j), lanes.load(b + j))));
  });
}

}  // namespace

void add_fwd_f32(Activation activation, std::size_t begin, std::size_t end, const float* a, const float* b, float* y) {
  if (activation == Activation::relu) return add<Activation::relu>(begin, end, a, b, y);
  if (activation == Activation::relu6) return add<Activation::relu6>(begin, end, a, b, y);
  return add<Activation::none>(begin, end, a, b, y);
}

}  // namespace bramble::kernels
