#include "kernels/dropout/dropout.h"

#include <algorithm>

#include "kernels/simd/partial.h"

namespace bramble::kernels {

void dropout_f32(const RandomStream& stream, float rate, std::size_t begin, std::size_t end, const float* x, float* y) {
  const uint32x4_t threshold = vdupq_n_u32(drop_threshold(rate));
  const float32x4_t scale = vdupq_n_f32(1 / (1 - rate));
  for (std::size_t i = begin; i < end; i += 16) {
    std::uint32_t words[16];
    random_words(stream, i, words);
    const std::size_t stop = std::min(i + 16, end);
    for_each_vector(i, stop, [&](auto lanes, std::size_t k) {
      const uint32x4_t kept = vcgeq_u32(vld1q_u32(words + (k - i)), threshold);
      const float32x4_t scaled = vmulq_f32(lanes.load(x + k), scale);
      lanes.store(y + k, vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(scaled), kept)));
    });
  }
}

}  // namespace bramble::kernels
