// Four counters at a time, a lane each.
#include "kernels/random/philox.h"
#include "kernels/simd/neon.h"

namespace bramble::kernels {
namespace {

/// The products' high and low words.
inline void multiply_wide(uint32x4_t a, std::uint32_t multiplier, uint32x4_t& high, uint32x4_t& low) {
  const uint32x2_t factor = vdup_n_u32(multiplier);
  const uint32x4_t first = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(a), factor));
  const uint32x4_t second = vreinterpretq_u32_u64(vmull_u32(vget_high_u32(a), factor));
  low = vuzp1q_u32(first, second);
  high = vuzp2q_u32(first, second);
}

}  // namespace

void random_words(const RandomStream& stream, std::uint64_t first, std::uint32_t* words) {
  std::uint32_t low[4], high[4];
  for (std::uint64_t lane = 0; lane < 4; ++lane) {
    const auto counter = stream.counter(first / 4 + lane);
    low[lane] = counter[0];
    high[lane] = counter[1];
  }
  uint32x4_t c0 = vld1q_u32(low), c1 = vld1q_u32(high);
  uint32x4_t c2 = vdupq_n_u32(stream.layer), c3 = vdupq_n_u32(stream.step);
  auto key = stream.key();
  for (int round = 0; round < philox::kRounds; ++round) {
    uint32x4_t high0, low0, high1, low1;
    multiply_wide(c0, philox::kMultiplier0, high0, low0);
    multiply_wide(c2, philox::kMultiplier1, high1, low1);
    c0 = veorq_u32(veorq_u32(high1, c1), vdupq_n_u32(key[0]));
    c2 = veorq_u32(veorq_u32(high0, c3), vdupq_n_u32(key[1]));
    c1 = low1;
    c3 = low0;
    key[0] += philox::kWeyl0;
    key[1] += philox::kWeyl1;
  }
  // A counter's words are one lane of each: turned over, they lie in order.
  const uint32x4_t even0 = vzip1q_u32(c0, c2), odd0 = vzip1q_u32(c1, c3);
  const uint32x4_t even1 = vzip2q_u32(c0, c2), odd1 = vzip2q_u32(c1, c3);
  vst1q_u32(words, vzip1q_u32(even0, odd0));
  vst1q_u32(words + 4, vzip2q_u32(even0, odd0));
  vst1q_u32(words + 8, vzip1q_u32(even1, odd1));
  vst1q_u32(words + 12, vzip2q_u32(even1, odd1));
}

}  // namespace bramble::kernels
