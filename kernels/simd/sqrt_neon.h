// The square root, which Debian 12's SIMDe does not have.
#pragma once

#include <cmath>

#include "kernels/simd/neon.h"

namespace bramble::kernels {

/// sqrt(x), rounded once. x >= 0.
inline float32x4_t sqrt_f32(float32x4_t x) {
#if defined(__aarch64__)
  return vsqrtq_f32(x);
#else
  float lanes[4];
  vst1q_f32(lanes, x);
  for (float& lane : lanes) lane = std::sqrt(lane);
  return vld1q_f32(lanes);
#endif
}

}  // namespace bramble::kernels
