// arm_neon.h on AArch64, the same intrinsics through SIMDe on a PC, and the few wrappers that keep both one source.
#pragma once

#if defined(__aarch64__)
#include <arm_neon.h>
#else
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/arm/neon.h>
#endif

namespace bramble::kernels {

/// acc - a * b, rounded once. Debian 12's SIMDe has no vfmsq_f32.
inline float32x4_t fms_f32(float32x4_t acc, float32x4_t a, float32x4_t b) {
#if defined(__aarch64__)
  return vfmsq_f32(acc, a, b);
#else
  return vfmaq_f32(acc, vnegq_f32(a), b);
#endif
}

/// acc + b * a[Lane], rounded once. SIMDe's vfmaq_laneq_f32 rounds twice, so a PC broadcasts the lane and fuses.
template <int Lane>
inline float32x4_t fma_lane_f32(float32x4_t acc, float32x4_t b, float32x4_t a) {
#if defined(__aarch64__)
  return vfmaq_laneq_f32(acc, b, a, Lane);
#else
  return vfmaq_f32(acc, b, vdupq_laneq_f32(a, Lane));
#endif
}

}  // namespace bramble::kernels
