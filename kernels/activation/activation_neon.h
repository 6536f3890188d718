// Activations and their gradients as vectors, inline for the kernels that fuse them. Include from _neon.cc files only.
#pragma once

#include "kernels/activation/activation.h"
#include "kernels/activation/functions_neon.h"
#include "kernels/simd/neon.h"

namespace bramble::kernels {

template <Activation A>
inline float32x4_t activate_f32x4(float32x4_t x) {
  if constexpr (A == Activation::relu) return vmaxq_f32(x, vdupq_n_f32(0));
  if constexpr (A == Activation::relu6) return vminq_f32(vmaxq_f32(x, vdupq_n_f32(0)), vdupq_n_f32(6.0f));
  if constexpr (A == Activation::gelu) return gelu_f32x4(x);
  if constexpr (A == Activation::silu) return div_f32(x, vaddq_f32(vdupq_n_f32(1.0f), exp_f32x4(vnegq_f32(x))));
  if constexpr (A == Activation::sigmoid) return sigmoid_f32x4(x);
  if constexpr (A == Activation::gelu_tanh) return gelu_tanh_f32x4(x);
  if constexpr (A == Activation::tanh) return tanh_f32x4(x);
  if constexpr (A == Activation::hard_swish) {
    // 1/6 with x, not in the gate: what it is rounded by is the same factor for all values, which normalisation takes out.
    const float32x4_t gate = vminq_f32(vmaxq_f32(vaddq_f32(x, vdupq_n_f32(3.0f)), vdupq_n_f32(0)), vdupq_n_f32(6.0f));
    return vmulq_f32(vmulq_f32(x, vdupq_n_f32(1.0f / 6)), gate);
  }
  if constexpr (A == Activation::hard_sigmoid) {
    const float32x4_t line = vfmaq_f32(vdupq_n_f32(0.5f), x, vdupq_n_f32(1.0f / 6));
    return vminq_f32(vmaxq_f32(line, vdupq_n_f32(0)), vdupq_n_f32(1.0f));
  }
  return x;
}

/// dy * f'(saved): saved is y (or x) for relu and relu6, y for sigmoid, hard_sigmoid and tanh, x for the others. The
/// masked lanes are +0, whatever dy is.
template <Activation A>
inline float32x4_t activation_bwd_f32x4(float32x4_t dy, float32x4_t saved) {
  if constexpr (A == Activation::relu || A == Activation::relu6) {
    uint32x4_t open = vcgtq_f32(saved, vdupq_n_f32(0));
    if constexpr (A == Activation::relu6) open = vandq_u32(open, vcltq_f32(saved, vdupq_n_f32(6.0f)));
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(dy), open));
  }
  if constexpr (A == Activation::gelu) return vmulq_f32(dy, gelu_bwd_f32x4(saved));
  if constexpr (A == Activation::silu) {
    float32x4_t gradient[1] = {dy};
    silu_bwd_f32(gradient, {saved});
    return gradient[0];
  }
  if constexpr (A == Activation::hard_swish) return hard_swish_bwd_f32x4(dy, saved);
  if constexpr (A == Activation::gelu_tanh) return vmulq_f32(dy, gelu_tanh_bwd_f32x4(saved));
  if constexpr (A == Activation::tanh) return vmulq_f32(dy, fms_f32(vdupq_n_f32(1.0f), saved, saved));
  if constexpr (A == Activation::sigmoid)
    return vmulq_f32(dy, vmulq_f32(saved, vsubq_f32(vdupq_n_f32(1.0f), saved)));
  if constexpr (A == Activation::hard_sigmoid) {
    const uint32x4_t open = vandq_u32(vcgtq_f32(saved, vdupq_n_f32(0)), vcltq_f32(saved, vdupq_n_f32(1.0f)));
    const float32x4_t slope = vmulq_f32(dy, vdupq_n_f32(1.0f / 6));
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(slope), open));
  }
  return dy;
}

/// N vectors: dy[i] *= f'(saved[i]).
template <Activation A, int N>
inline void activation_bwd_f32(float32x4_t (&dy)[N], const float32x4_t (&saved)[N]) {
  if constexpr (A == Activation::silu) return silu_bwd_f32(dy, saved);
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) dy[i] = activation_bwd_f32x4<A>(dy[i], saved[i]);
}

/// N vectors: y = f(x), which may be y.
template <Activation A, int N>
inline void activate_vectors(const float* x, float* y) {
  if constexpr (A == Activation::gelu) return gelu_vectors<N>(x, y);
  float32x4_t values[N];
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) values[i] = activate_f32x4<A>(vld1q_f32(x + 4 * i));
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) vst1q_f32(y + 4 * i, values[i]);
}

/// N vectors: dx = dy * f'(saved); dy may be dx.
template <Activation A, int N>
inline void activation_bwd_vectors(const float* dy, const float* saved, float* dx) {
  if constexpr (A == Activation::gelu) return gelu_bwd_vectors<N>(saved, dy, dx);
  float32x4_t values[N], inputs[N];
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) {
    values[i] = vld1q_f32(dy + 4 * i);
    inputs[i] = vld1q_f32(saved + 4 * i);
  }
  activation_bwd_f32<A>(values, inputs);
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) vst1q_f32(dx + 4 * i, values[i]);
}

/// Calls run.template operator()<A>() with `activation` as A.
template <class Run>
inline void dispatch_activation(Activation activation, Run run) {
  switch (activation) {
    case Activation::none: return run.template operator()<Activation::none>();
    case Activation::relu: return run.template operator()<Activation::relu>();
    case Activation::relu6: return run.template operator()<Activation::relu6>();
    case Activation::gelu: return run.template operator()<Activation::gelu>();
    case Activation::hard_swish: return run.template operator()<Activation::hard_swish>();
    case Activation::silu: return run.template operator()<Activation::silu>();
    case Activation::sigmoid: return run.template operator()<Activation::sigmoid>();
    case Activation::hard_sigmoid: return run.template operator()<Activation::hard_sigmoid>();
    case Activation::gelu_tanh: return run.template operator()<Activation::gelu_tanh>();
    case Activation::tanh: return run.template operator()<Activation::tanh>();
  }
}

}  // namespace bramble::kernels
