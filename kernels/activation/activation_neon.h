// Vector exp, GELU and activations, inline for the kernels that fuse them. Include from _neon.cc files only.
#pragma once

#include "kernels/activation/activation.h"
#include "kernels/simd/neon.h"

namespace bramble::kernels {

/// e^x within 2 ulp. +inf above 88.72; results below 1.7e-38 are flushed to zero; NaN stays NaN.
inline float32x4_t exp_f32x4(float32x4_t x) {
  // x = n ln 2 + r, |r| <= ln(2) / 2. The rounding constant 1.5 * 2^23 leaves n in the low bits of the sum's mantissa;
  // 126 more makes them the biased exponent of 2^(n - 1), so that n = 128 (above 88.38) still has one. The factor 2
  // that is missing sits in the polynomial. The coefficients are minimax for e^r, degree 5.
  constexpr float kRound = 12582912.0f + 126.0f;
  x = vminq_f32(vmaxq_f32(x, vdupq_n_f32(-87.5f)), vdupq_n_f32(89.0f));
  const float32x4_t sum = vfmaq_f32(vdupq_n_f32(kRound), x, vdupq_n_f32(0x1.715476p+0f));
  const float32x4_t n = vsubq_f32(sum, vdupq_n_f32(kRound));
  const float32x4_t scale = vreinterpretq_f32_s32(vshlq_n_s32(vreinterpretq_s32_f32(sum), 23));
  float32x4_t r = fms_f32(x, n, vdupq_n_f32(0x1.62E430p-1f));
  r = fms_f32(r, n, vdupq_n_f32(-0x1.05C610p-29f));
  float32x4_t p = vfmaq_f32(vdupq_n_f32(2 * 0x1.573A1Ap-5f), r, vdupq_n_f32(2 * 0x1.0F9F9Cp-7f));
  p = vfmaq_f32(vdupq_n_f32(2 * 0x1.555A80p-3f), r, p);
  p = vfmaq_f32(vdupq_n_f32(2 * 0x1.FFFDC6p-2f), r, p);
  p = vfmaq_f32(vdupq_n_f32(2 * 0x1.FFFFF6p-1f), r, p);
  p = vfmaq_f32(vdupq_n_f32(2.0f), r, p);
  return vmulq_f32(p, scale);
}

/// 1 / x for normal positive x, within 1 ulp or so: the estimate has 8 bits, each Newton step doubles them. A vdivq
/// would hold the one divider for 7 cycles or more.
inline float32x4_t reciprocal_f32x4(float32x4_t x) {
  float32x4_t r = vrecpeq_f32(x);
  r = vmulq_f32(r, vrecpsq_f32(x, r));
  return vmulq_f32(r, vrecpsq_f32(x, r));
}

/// What GELU and its gradient share.
struct GeluTerms {
  float32x4_t magnitude;   ///< |x|, at most 14: beyond, the tail below is zero and infinity would make NaN of it
  float32x4_t gauss;       ///< exp(-x^2 / 2)
  float32x4_t upper_tail;  ///< 1 - Phi(|x|)
};

/// Abramowitz and Stegun 7.1.26: erfc(z) = t (a1 + t (a2 + ...)) exp(-z^2), t = 1 / (1 + 0.3275911 z), within 1.5e-7;
/// z = |x| / sqrt 2, so 0.3275911 is divided by sqrt 2, and the coefficients are halved.
inline GeluTerms gelu_terms_f32x4(float32x4_t x) {
  const float32x4_t a = vminq_f32(vabsq_f32(x), vdupq_n_f32(14.0f));
  const float32x4_t gauss = exp_f32x4(vmulq_f32(vmulq_f32(a, a), vdupq_n_f32(-0.5f)));
  const float32x4_t t = reciprocal_f32x4(vfmaq_f32(vdupq_n_f32(1.0f), a, vdupq_n_f32(0.231641888f)));
  float32x4_t p = vfmaq_f32(vdupq_n_f32(-0.7265760135f), t, vdupq_n_f32(0.5307027145f));
  p = vfmaq_f32(vdupq_n_f32(0.7107068705f), t, p);
  p = vfmaq_f32(vdupq_n_f32(-0.142248368f), t, p);
  p = vfmaq_f32(vdupq_n_f32(0.127414796f), t, p);
  return {a, gauss, vmulq_f32(vmulq_f32(p, t), gauss)};
}

/// x * Phi(x) within 1e-6 absolute (and 3e-7 relative to |x|).
inline float32x4_t gelu_f32x4(float32x4_t x) {
  const GeluTerms terms = gelu_terms_f32x4(x);
  // x >= 0: x - x * tail; x < 0: x * tail = 0 - |x| * tail.
  return fms_f32(vmaxq_f32(x, vdupq_n_f32(0)), terms.magnitude, terms.upper_tail);
}

/// Phi(z) + z * phi(z), z being the forward's input.
inline float32x4_t gelu_bwd_f32x4(float32x4_t z) {
  const GeluTerms terms = gelu_terms_f32x4(z);
  // |z| phi(z) - tail, odd in z but for the step: Phi(z) + z phi(z) = [z >= 0] + sign(z) (|z| phi(z) - tail).
  const float32x4_t density = vmulq_f32(terms.gauss, vdupq_n_f32(0.3989422804f));
  const float32x4_t odd = fms_f32(terms.upper_tail, terms.magnitude, density);
  const uint32x4_t negative = vcltq_f32(z, vdupq_n_f32(0));
  return vbslq_f32(negative, odd, vsubq_f32(vdupq_n_f32(1.0f), odd));
}

template <Activation A>
inline float32x4_t activate_f32x4(float32x4_t x) {
  if constexpr (A == Activation::relu) return vmaxq_f32(x, vdupq_n_f32(0));
  if constexpr (A == Activation::relu6) return vminq_f32(vmaxq_f32(x, vdupq_n_f32(0)), vdupq_n_f32(6.0f));
  if constexpr (A == Activation::gelu) return gelu_f32x4(x);
  return x;
}

/// dy * f'(saved): saved is y (or x) for relu and relu6, x for gelu. The masked lanes are +0, whatever dy is.
template <Activation A>
inline float32x4_t activation_bwd_f32x4(float32x4_t dy, float32x4_t saved) {
  if constexpr (A == Activation::relu || A == Activation::relu6) {
    uint32x4_t open = vcgtq_f32(saved, vdupq_n_f32(0));
    if constexpr (A == Activation::relu6) open = vandq_u32(open, vcltq_f32(saved, vdupq_n_f32(6.0f)));
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(dy), open));
  }
  if constexpr (A == Activation::gelu) return vmulq_f32(dy, gelu_bwd_f32x4(saved));
  return dy;
}

}  // namespace bramble::kernels
