// Vector exp, sigmoid, GELU and the like, and their derivatives, inline. Include from _neon.cc files only.
#pragma once

#include "kernels/simd/neon.h"

namespace bramble::kernels {

namespace constants {

// The rounding constant 1.5 * 2^23 leaves n in the low bits of the sum's mantissa; 126 more makes them the biased
// exponent of 2^(n - 1), so that n = 128 (above 88.38) still has one.
inline constexpr float kRound = 12582912.0f + 126.0f;
inline constexpr Splat kRoundSplat{kRound};
// Minimax for 2 e^r, |r| <= ln(2) / 2, from r^5 down: the factor 2 that 2^(n - 1) lacks.
inline constexpr Splat kExp[] = {Splat{2 * 0x1.573A1Ap-5f}, Splat{2 * 0x1.555A80p-3f}, Splat{2 * 0x1.FFFDC6p-2f},
                                 Splat{2 * 0x1.FFFFF6p-1f}, Splat{2.0f}};

// Minimax for 2 * 2^r, |r| <= 1/2, from r^5 down: relative error 1e-7.
inline constexpr float kExp2Highest = 2 * 0x1.5bd97ap-10f;
inline constexpr Splat kExp2[] = {Splat{2 * 0x1.3ce8b2p-7f}, Splat{2 * 0x1.c6b6dap-5f}, Splat{2 * 0x1.ebf9c2p-3f},
                                  Splat{2 * 0x1.62e42ap-1f}, Splat{2.0f}};
// Minimax for log2((1 + z) / (1 - z)) / z in z^2, |z| <= (sqrt 2 - 1) / (sqrt 2 + 1), from z^6 down.
inline constexpr float kLog2Highest = 0x1.eb69dap-2f;
inline constexpr Splat kLog2[] = {Splat{0x1.2632b6p-1f}, Splat{0x1.ec73e8p-1f}, Splat{0x1.715476p+1f}};

// Minimax for (1 - Phi(a))^(1/8) in v = a / 3 - 1, 0 <= a <= 6, from v^0 up: so flat a function needs few terms.
inline constexpr Splat kTail[] = {Splat{0x1.c052f8p-2f}, Splat{-0x1.13f4a6p-1f}, Splat{0x1.a53486p-4f},
                                  Splat{0x1.17957ap-3f}, Splat{-0x1.fe42d4p-5f}, Splat{-0x1.7514bap-6f},
                                  Splat{0x1.3b9a32p-6f}, Splat{0x1.7f8228p-8f}};

// Minimax for (Phi(x) - 1/2 + x phi(x)) / x in u = 2 (x / 5.5)^2 - 1, from u^0 up.
inline constexpr Splat kSlope[] = {
    Splat{0x1.07b2e4p-3f}, Splat{-0x1.0d4588p-4f}, Splat{0x1.b7abfap-5f}, Splat{-0x1.b81f34p-5f},
    Splat{0x1.ed0dccp-5f}, Splat{-0x1.1a0a0ap-4f}, Splat{0x1.349294p-4f}, Splat{-0x1.2aad34p-4f},
    Splat{0x1.f0e64cp-5f}, Splat{-0x1.b2e3d6p-5f}, Splat{0x1.960b7ep-5f}, Splat{-0x1.c7d6bap-6f},
    Splat{0x1.0cc410p-8f}, Splat{-0x1.a52106p-8f}, Splat{0x1.8d2724p-7f}, Splat{-0x1.41c11cp-8f}};

// -2 sqrt(2 / pi), and that times 0.044715.
inline constexpr float kTanhSlope = -1.5957691216057308f;
inline constexpr float kTanhCubic = -0.0713548162726009f;

inline constexpr Splat kMinusOne{-1.0f};
inline constexpr Splat kHalf{0.5f};

}  // namespace constants

/// N vectors, x[i] = e^x[i] within 2 ulp. +inf above 88.72; results below 1.7e-38 are flushed to zero; NaN stays NaN.
/// Side by side, as one's chain of dependent instructions is longer than what the core looks ahead.
template <int N>
inline void exp_f32(float32x4_t (&x)[N]) {
  using namespace constants;
  // x = n ln 2 + r, |r| <= ln(2) / 2.
  float32x4_t scale[N], p[N];
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) {
    x[i] = vminq_f32(vmaxq_f32(x[i], vdupq_n_f32(-87.5f)), vdupq_n_f32(89.0f));
    const float32x4_t sum = vfmaq_f32(loaded_f32(kRoundSplat), x[i], vdupq_n_f32(0x1.715476p+0f));
    const float32x4_t n = vsubq_f32(sum, vdupq_n_f32(kRound));
    scale[i] = vreinterpretq_f32_s32(vshlq_n_s32(vreinterpretq_s32_f32(sum), 23));
    x[i] = fms_f32(x[i], n, vdupq_n_f32(0x1.62E430p-1f));
    x[i] = fms_f32(x[i], n, vdupq_n_f32(-0x1.05C610p-29f));
    p[i] = vdupq_n_f32(2 * 0x1.0F9F9Cp-7f);
  }
#pragma GCC unroll 5
  for (int k = 0; k < 5; ++k) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) p[i] = vfmaq_f32(loaded_f32(kExp[k]), x[i], p[i]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) x[i] = vmulq_f32(p[i], scale[i]);
}

inline float32x4_t exp_f32x4(float32x4_t x) {
  float32x4_t one[1] = {x};
  exp_f32(one);
  return one[0];
}

/// Likewise t[i] = 2^t[i] within 2 ulp, t[i] < 128; results below 2^-125 are flushed to zero; NaN stays NaN.
template <int N>
inline void exp2_f32(float32x4_t (&t)[N]) {
  using namespace constants;
  float32x4_t sum[N], r[N], p[N];
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) {
    t[i] = vmaxq_f32(t[i], vdupq_n_f32(-126.0f));
    sum[i] = vaddq_f32(t[i], vdupq_n_f32(kRound));
    r[i] = vsubq_f32(t[i], vsubq_f32(sum[i], vdupq_n_f32(kRound)));
    p[i] = vdupq_n_f32(kExp2Highest);
  }
#pragma GCC unroll 5
  for (int k = 0; k < 5; ++k) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) p[i] = vfmaq_f32(loaded_f32(kExp2[k]), r[i], p[i]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i)
    t[i] = vmulq_f32(p[i], vreinterpretq_f32_s32(vshlq_n_s32(vreinterpretq_s32_f32(sum[i]), 23)));
}

/// log2(x) within 2e-7 absolute or 3 ulp; x normal, above 0.
inline float32x4_t log2_f32x4(float32x4_t x) {
  using namespace constants;
  // x = 2^n m, m in [sqrt(1/2), sqrt(2)).
  const int32x4_t bits = vreinterpretq_s32_f32(x), half = vdupq_n_s32(0x3f3504f3);
  const int32x4_t n = vshrq_n_s32(vsubq_s32(bits, half), 23);
  const float32x4_t m = vreinterpretq_f32_s32(vsubq_s32(bits, vshlq_n_s32(n, 23))), one = vdupq_n_f32(1.0f);
  const float32x4_t z = div_f32(vsubq_f32(m, one), vaddq_f32(m, one)), square = vmulq_f32(z, z);
  float32x4_t p = vdupq_n_f32(kLog2Highest);
  for (const Splat& term : kLog2) p = vfmaq_f32(loaded_f32(term), square, p);
  return vfmaq_f32(vcvtq_f32_s32(n), z, p);
}

/// N vectors, x[i] = 1 / (1 + e^-x[i]) within 3 ulp. NaN stays NaN.
template <int N>
inline void sigmoid_f32(float32x4_t (&x)[N]) {
  const float32x4_t one = vdupq_n_f32(1.0f);
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) x[i] = vnegq_f32(x[i]);
  exp_f32(x);
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) x[i] = div_f32(one, vaddq_f32(one, x[i]));
}

inline float32x4_t sigmoid_f32x4(float32x4_t x) {
  float32x4_t one[1] = {x};
  sigmoid_f32(one);
  return one[0];
}

/// N vectors, dy[i] *= d/dx (x[i] * s) = s + x[i] * s * (1 - s), s being sigmoid(x[i]).
template <int N>
inline void silu_bwd_f32(float32x4_t (&dy)[N], const float32x4_t (&x)[N]) {
  float32x4_t s[N];
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) s[i] = x[i];
  sigmoid_f32(s);
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) {
    const float32x4_t slope = vmulq_f32(s[i], vsubq_f32(vdupq_n_f32(1.0f), s[i]));
    dy[i] = vmulq_f32(dy[i], vfmaq_f32(s[i], x[i], slope));
  }
}

/// x * sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3).
inline float32x4_t gelu_tanh_f32x4(float32x4_t x) {
  const float32x4_t square = vmulq_f32(x, x);
  const float32x4_t slope = vfmaq_f32(vdupq_n_f32(constants::kTanhSlope), square, vdupq_n_f32(constants::kTanhCubic));
  return div_f32(x, vaddq_f32(vdupq_n_f32(1.0f), exp_f32x4(vmulq_f32(x, slope))));
}

/// s + x * s * (1 - s) * 2 u', s being sigmoid(2 u).
inline float32x4_t gelu_tanh_bwd_f32x4(float32x4_t x) {
  // Beyond 10 it is 0 or 1, and what follows would make NaN of infinity.
  x = vminq_f32(vmaxq_f32(x, vdupq_n_f32(-10.0f)), vdupq_n_f32(10.0f));
  const float32x4_t one = vdupq_n_f32(1.0f), square = vmulq_f32(x, x);
  const float32x4_t linear = vdupq_n_f32(constants::kTanhSlope), cubic = vdupq_n_f32(constants::kTanhCubic);
  const float32x4_t e = exp_f32x4(vmulq_f32(x, vfmaq_f32(linear, square, cubic)));
  const float32x4_t s = div_f32(one, vaddq_f32(one, e));
  const float32x4_t rise = vfmaq_f32(linear, square, vmulq_f32(cubic, vdupq_n_f32(3.0f)));  // -2 u'
  // 1 - s = e s, without the cancellation.
  return fms_f32(s, vmulq_f32(vmulq_f32(x, s), vmulq_f32(e, s)), rise);
}

/// (1 - e) / (1 + e) with e = e^-2|x|, under x's sign: within 2e-7 absolute.
inline float32x4_t tanh_f32x4(float32x4_t x) {
  const float32x4_t one = vdupq_n_f32(1.0f);
  const float32x4_t e = exp_f32x4(vmulq_f32(vabsq_f32(x), vdupq_n_f32(-2.0f)));
  const float32x4_t size = div_f32(vsubq_f32(one, e), vaddq_f32(one, e));
  return vbslq_f32(vdupq_n_u32(0x80000000u), x, size);
}

/// dy * f'(x) of hard_swish; PyTorch has f' = x / 3 + 1/2 at both bounds.
inline float32x4_t hard_swish_bwd_f32x4(float32x4_t dy, float32x4_t x) {
  const float32x4_t slope = vfmaq_f32(vdupq_n_f32(0.5f), x, vdupq_n_f32(1.0f / 3));
  const uint32x4_t beyond = vcgtq_f32(x, vdupq_n_f32(3.0f));
  const float32x4_t open = vbslq_f32(beyond, dy, vmulq_f32(dy, slope));
  const uint32x4_t shut = vcltq_f32(x, vdupq_n_f32(-3.0f));
  return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(open), shut));
}

/// acc[i] = constant + acc[i] * x[i], for polynomials of several vectors side by side.
template <int N>
inline void horner_step(float32x4_t (&acc)[N], const float32x4_t (&x)[N], const Splat& constant) {
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) acc[i] = vfmaq_f32(loaded_f32(constant), acc[i], x[i]);
}

// GELU of several vectors at once: one's chain of dependent FMAs is longer than what the core looks ahead.

/// x * Phi(x) within 1e-6 absolute (and 3e-7 relative to |x|).
template <int N>
inline void gelu_f32(float32x4_t (&x)[N]) {
  using namespace constants;
  float32x4_t a[N], v[N], square[N], even[N], odd[N];
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) {
    // Beyond 6 the tail is zero for float32's purposes, and infinity would make NaN of it.
    a[i] = vminq_f32(vabsq_f32(x[i]), vdupq_n_f32(6.0f));
    v[i] = vfmaq_f32(loaded_f32(kMinusOne), a[i], vdupq_n_f32(1.0f / 3));
    square[i] = vmulq_f32(v[i], v[i]);
    even[i] = loaded_f32(kTail[6]);
    odd[i] = loaded_f32(kTail[7]);
  }
  // Even and odd powers apart: half the chain's length.
#pragma GCC unroll 3
  for (int k = 4; k >= 0; k -= 2) {
    horner_step(even, square, kTail[k]);
    horner_step(odd, square, kTail[k + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) {
    const float32x4_t root = vfmaq_f32(even[i], odd[i], v[i]);
    const float32x4_t root_2 = vmulq_f32(root, root);
    const float32x4_t root_4 = vmulq_f32(root_2, root_2);
    const float32x4_t tail = vmulq_f32(root_4, root_4);
    // x >= 0: x - x * tail; x < 0: x * tail = 0 - |x| * tail.
    x[i] = fms_f32(vmaxq_f32(x[i], vdupq_n_f32(0)), a[i], tail);
  }
}

/// z = Phi(z) + z * phi(z) within 1e-6, z being the forward's input.
template <int N>
inline void gelu_bwd_f32(float32x4_t (&z)[N]) {
  using namespace constants;
  float32x4_t u[N], square[N], even[N], odd[N];
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) {
    z[i] = vmaxq_f32(vminq_f32(z[i], vdupq_n_f32(5.5f)), vdupq_n_f32(-5.5f));
    u[i] = vfmaq_f32(loaded_f32(kMinusOne), vmulq_f32(z[i], z[i]), vdupq_n_f32(2 / (5.5f * 5.5f)));
    square[i] = vmulq_f32(u[i], u[i]);
    even[i] = loaded_f32(kSlope[14]);
    odd[i] = loaded_f32(kSlope[15]);
  }
#pragma GCC unroll 7
  for (int k = 12; k >= 0; k -= 2) {
    horner_step(even, square, kSlope[k]);
    horner_step(odd, square, kSlope[k + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) z[i] = vfmaq_f32(loaded_f32(kHalf), z[i], vfmaq_f32(even[i], odd[i], u[i]));
}

/// N vectors: y = gelu(x), which may be y.
template <int N>
inline void gelu_vectors(const float* x, float* y) {
  float32x4_t values[N];
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) values[i] = vld1q_f32(x + 4 * i);
  gelu_f32(values);
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) vst1q_f32(y + 4 * i, values[i]);
}

/// N vectors: dx = dy * gelu'(z); dy may be dx.
template <int N>
inline void gelu_bwd_vectors(const float* z, const float* dy, float* dx) {
  float32x4_t values[N];
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) values[i] = vld1q_f32(z + 4 * i);
  gelu_bwd_f32(values);
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) vst1q_f32(dx + 4 * i, vmulq_f32(vld1q_f32(dy + 4 * i), values[i]));
}

inline float32x4_t gelu_f32x4(float32x4_t x) {
  float32x4_t values[1] = {x};
  gelu_f32(values);
  return values[0];
}

inline float32x4_t gelu_bwd_f32x4(float32x4_t z) {
  float32x4_t values[1] = {z};
  gelu_bwd_f32(values);
  return values[0];
}

}  // namespace bramble::kernels
