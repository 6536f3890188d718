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

/// a / b, rounded once. Debian 12's SIMDe has no vdivq_f32.
inline float32x4_t div_f32(float32x4_t a, float32x4_t b) {
#if defined(__aarch64__)
  return vdivq_f32(a, b);
#else
  return a / b;
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

/// acc = acc + b * a[Lane], likewise; acc keeps its register, where GCC might copy it from one to another.
template <int Lane>
inline void add_product_lane_f32(float32x4_t& acc, float32x4_t b, float32x4_t a) {
#if defined(__aarch64__)
  asm("fmla %0.4s, %1.4s, %2.s[%3]" : "+w"(acc) : "w"(b), "w"(a), "i"(Lane));
#else
  acc = fma_lane_f32<Lane>(acc, b, a);
#endif
}

/// b * a[Lane].
template <int Lane>
inline float32x4_t mul_lane_f32(float32x4_t b, float32x4_t a) {
#if defined(__aarch64__)
  return vmulq_laneq_f32(b, a, Lane);
#else
  return vmulq_f32(b, vdupq_laneq_f32(a, Lane));
#endif
}

/// Four times the same number, for loaded_f32.
struct alignas(16) Splat {
  float lanes[4];
  constexpr explicit Splat(float value) : lanes{value, value, value, value} {}
};

/// A constant that an FMA adds to, and so overwrites: read from memory each time. GCC would keep it in a register and
/// copy it, which takes a slot of the pipes that the FMAs need; loads have their own.
inline float32x4_t loaded_f32(const float (&lanes)[4]) {
#if defined(__aarch64__)
  float32x4_t value;
  asm volatile("ldr %q0, %1" : "=w"(value) : "m"(lanes));
  return value;
#else
  return vld1q_f32(lanes);
#endif
}
inline float32x4_t loaded_f32(const Splat& constant) { return loaded_f32(constant.lanes); }

}  // namespace bramble::kernels
