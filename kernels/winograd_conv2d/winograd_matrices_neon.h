// The matrices of F(2 x 2, 3 x 3) and F(4 x 4, 3 x 3) (Lavin & Gray 2016, arXiv:1509.09308, sections 4.1 and 4.3) as
// code, for four channels at a time. Include from _neon.cc files only.
//
// A two-dimensional transform T d T^T is done for two rows of points at a time: `..._rows<Pair>` makes those two rows
// of T d, `..._line` finishes a row. Rows are paired where they share sums; `kRows[pair]` names them.
#pragma once

#include <cstdint>

#include "kernels/simd/neon.h"
#include "kernels/winograd_conv2d/winograd_conv2d.h"

#define BRAMBLE_UNROLL _Pragma("GCC unroll 8")
#define BRAMBLE_INLINE inline __attribute__((always_inline))

namespace bramble::kernels {

template <WinogradTile Tile>
struct Winograd;

//         1  0 -1  0          1    0    0
//   B^T = 0  1  1  0     G = 1/2  1/2  1/2     A^T = 1  1  1  0
//         0 -1  1  0         1/2 -1/2  1/2           0  1 -1 -1
//         0  1  0 -1          0    0    1
template <>
struct Winograd<WinogradTile::two> {
  static constexpr int kOutputs = 2;
  static constexpr int kSide = 4;
  static constexpr int kPairs = 2;
  static constexpr int kRows[kPairs][2] = {{0, 3}, {1, 2}};

  /// Rows kRows[Pair] of B^T d, of one column of d.
  template <int Pair>
  static BRAMBLE_INLINE void input_rows(const float* d, std::int64_t stride, float32x4_t& first, float32x4_t& second) {
    const float32x4_t d1 = vld1q_f32(d + stride), d2 = vld1q_f32(d + 2 * stride);
    if constexpr (Pair == 0) {
      first = vsubq_f32(vld1q_f32(d), d2);
      second = vsubq_f32(d1, vld1q_f32(d + 3 * stride));
    } else {
      first = vaddq_f32(d1, d2);
      second = vsubq_f32(d2, d1);
    }
  }
  /// v = B^T v
  static BRAMBLE_INLINE void input_line(float32x4_t (&v)[kSide]) {
    const float32x4_t v1 = v[1];
    v[0] = vsubq_f32(v[0], v[2]);
    v[3] = vsubq_f32(v1, v[3]);
    v[1] = vaddq_f32(v1, v[2]);
    v[2] = vsubq_f32(v[2], v1);
  }
  /// Rows kRows[Pair] of A dY, of one column of dY.
  template <int Pair>
  static BRAMBLE_INLINE void gradient_rows(const float* dy, std::int64_t stride, float32x4_t& first,
                                           float32x4_t& second) {
    const float32x4_t y0 = vld1q_f32(dy), y1 = vld1q_f32(dy + stride);
    first = Pair == 0 ? y0 : vaddq_f32(y0, y1);
    second = Pair == 0 ? vnegq_f32(y1) : vsubq_f32(y0, y1);
  }
  /// v = A y
  static BRAMBLE_INLINE void gradient_line(const float32x4_t (&y)[kOutputs], float32x4_t (&v)[kSide]) {
    v[0] = y[0];
    v[1] = vaddq_f32(y[0], y[1]);
    v[2] = vsubq_f32(y[0], y[1]);
    v[3] = vnegq_f32(y[1]);
  }
  /// y = A^T m
  static BRAMBLE_INLINE void output_line(const float32x4_t (&m)[kSide], float32x4_t (&y)[kOutputs]) {
    y[0] = vaddq_f32(m[0], vaddq_f32(m[1], m[2]));
    y[1] = vsubq_f32(vsubq_f32(m[1], m[2]), m[3]);
  }
  /// u = G g
  static BRAMBLE_INLINE void weight_line(const float32x4_t (&g)[3], float32x4_t (&u)[kSide]) {
    const float32x4_t half = vdupq_n_f32(0.5f);
    const float32x4_t outer = vmulq_f32(vaddq_f32(g[0], g[2]), half), middle = vmulq_f32(g[1], half);
    u[0] = g[0];
    u[1] = vaddq_f32(outer, middle);
    u[2] = vsubq_f32(outer, middle);
    u[3] = g[2];
  }
  /// g = G^T u
  static BRAMBLE_INLINE void weight_gradient_line(const float32x4_t (&u)[kSide], float32x4_t (&g)[3]) {
    const float32x4_t half = vdupq_n_f32(0.5f);
    const float32x4_t sum = vmulq_f32(vaddq_f32(u[1], u[2]), half);
    g[0] = vaddq_f32(u[0], sum);
    g[1] = vmulq_f32(vsubq_f32(u[1], u[2]), half);
    g[2] = vaddq_f32(sum, u[3]);
  }
};

//         4  0 -5  0  1  0           1/4     0     0
//         0 -4 -4  1  1  0          -1/6  -1/6  -1/6            1  1  1  1  1  0
//   B^T = 0  4 -4 -1  1  0     G =  -1/6   1/6  -1/6     A^T =  0  1 -1  2 -2  0
//         0 -2 -1  2  1  0          1/24  1/12   1/6            0  1  1  4  4  0
//         0  2 -1 -2  1  0          1/24 -1/12   1/6            0  1 -1  8 -8  1
//         0  4  0 -5  0  1            0     0     1
template <>
struct Winograd<WinogradTile::four> {
  static constexpr int kOutputs = 4;
  static constexpr int kSide = 6;
  static constexpr int kPairs = 3;
  static constexpr int kRows[kPairs][2] = {{0, 5}, {1, 2}, {3, 4}};

  // 4 a - 5 b + c
  static BRAMBLE_INLINE float32x4_t ends(float32x4_t a, float32x4_t b, float32x4_t c) {
    return fms_f32(vfmaq_f32(c, a, vdupq_n_f32(4.0f)), b, vdupq_n_f32(5.0f));
  }
  static BRAMBLE_INLINE void sum_and_difference(float32x4_t even, float32x4_t odd, float32x4_t& sum,
                                                float32x4_t& difference) {
    sum = vaddq_f32(even, odd);
    difference = vsubq_f32(even, odd);
  }

  template <int Pair>
  static BRAMBLE_INLINE void input_rows(const float* d, std::int64_t stride, float32x4_t& first, float32x4_t& second) {
    const float32x4_t d1 = vld1q_f32(d + stride), d2 = vld1q_f32(d + 2 * stride);
    const float32x4_t d3 = vld1q_f32(d + 3 * stride), d4 = vld1q_f32(d + 4 * stride);
    if constexpr (Pair == 0) {
      first = ends(vld1q_f32(d), d2, d4);
      second = ends(d1, d3, vld1q_f32(d + 5 * stride));
    } else {
      inner_rows<Pair>(d1, d2, d3, d4, first, second);
    }
  }
  template <int Pair>
  static BRAMBLE_INLINE void inner_rows(float32x4_t d1, float32x4_t d2, float32x4_t d3, float32x4_t d4,
                                        float32x4_t& first, float32x4_t& second) {
    if constexpr (Pair == 1) {
      const float32x4_t four = vdupq_n_f32(4.0f);
      sum_and_difference(fms_f32(d4, d2, four), fms_f32(d3, d1, four), first, second);
    } else {
      const float32x4_t odd = vsubq_f32(d3, d1), even = vsubq_f32(d4, d2), two = vdupq_n_f32(2.0f);
      first = vfmaq_f32(even, odd, two);
      second = fms_f32(even, odd, two);
    }
  }
  static BRAMBLE_INLINE void input_line(float32x4_t (&v)[kSide]) {
    const float32x4_t v1 = v[1], v2 = v[2], v3 = v[3], v4 = v[4];
    v[0] = ends(v[0], v2, v4);
    v[5] = ends(v1, v3, v[5]);
    inner_rows<1>(v1, v2, v3, v4, v[1], v[2]);
    inner_rows<2>(v1, v2, v3, v4, v[3], v[4]);
  }
  template <int Pair>
  static BRAMBLE_INLINE void gradient_rows(const float* dy, std::int64_t stride, float32x4_t& first,
                                           float32x4_t& second) {
    const float32x4_t y0 = vld1q_f32(dy), y3 = vld1q_f32(dy + 3 * stride);
    if constexpr (Pair == 0) {
      first = y0;
      second = y3;
    } else {
      inner_gradients<Pair>(y0, vld1q_f32(dy + stride), vld1q_f32(dy + 2 * stride), y3, first, second);
    }
  }
  template <int Pair>
  static BRAMBLE_INLINE void inner_gradients(float32x4_t y0, float32x4_t y1, float32x4_t y2, float32x4_t y3,
                                             float32x4_t& first, float32x4_t& second) {
    if constexpr (Pair == 1) {
      sum_and_difference(vaddq_f32(y0, y2), vaddq_f32(y1, y3), first, second);
    } else {
      const float32x4_t four = vdupq_n_f32(4.0f), two = vdupq_n_f32(2.0f);
      const float32x4_t even = vfmaq_f32(y0, y2, four), half_odd = vfmaq_f32(y1, y3, four);
      first = vfmaq_f32(even, half_odd, two);
      second = fms_f32(even, half_odd, two);
    }
  }
  static BRAMBLE_INLINE void gradient_line(const float32x4_t (&y)[kOutputs], float32x4_t (&v)[kSide]) {
    v[0] = y[0];
    inner_gradients<1>(y[0], y[1], y[2], y[3], v[1], v[2]);
    inner_gradients<2>(y[0], y[1], y[2], y[3], v[3], v[4]);
    v[5] = y[3];
  }
  static BRAMBLE_INLINE void output_line(const float32x4_t (&m)[kSide], float32x4_t (&y)[kOutputs]) {
    float32x4_t sum1, difference1, sum2, difference2;
    sum_and_difference(m[1], m[2], sum1, difference1);
    sum_and_difference(m[3], m[4], sum2, difference2);
    y[0] = vaddq_f32(m[0], vaddq_f32(sum1, sum2));
    y[1] = vfmaq_f32(difference1, difference2, vdupq_n_f32(2.0f));
    y[2] = vfmaq_f32(sum1, sum2, vdupq_n_f32(4.0f));
    y[3] = vaddq_f32(m[5], vfmaq_f32(difference1, difference2, vdupq_n_f32(8.0f)));
  }
  static BRAMBLE_INLINE void weight_line(const float32x4_t (&g)[3], float32x4_t (&u)[kSide]) {
    const float32x4_t sixth = vdupq_n_f32(1.0f / 6), twelfth = vdupq_n_f32(1.0f / 12);
    const float32x4_t minus_outer = vmulq_f32(vaddq_f32(g[0], g[2]), vdupq_n_f32(-1.0f / 6));
    const float32x4_t outer = vfmaq_f32(vmulq_f32(g[0], vdupq_n_f32(1.0f / 24)), g[2], sixth);
    u[0] = vmulq_f32(g[0], vdupq_n_f32(0.25f));
    u[1] = fms_f32(minus_outer, g[1], sixth);
    u[2] = vfmaq_f32(minus_outer, g[1], sixth);
    u[3] = vfmaq_f32(outer, g[1], twelfth);
    u[4] = fms_f32(outer, g[1], twelfth);
    u[5] = g[2];
  }
  static BRAMBLE_INLINE void weight_gradient_line(const float32x4_t (&u)[kSide], float32x4_t (&g)[3]) {
    const float32x4_t sixth = vdupq_n_f32(1.0f / 6);
    float32x4_t sum1, difference1, sum2, difference2;
    sum_and_difference(u[1], u[2], sum1, difference1);
    sum_and_difference(u[3], u[4], sum2, difference2);
    const float32x4_t outer = fms_f32(vmulq_f32(u[0], vdupq_n_f32(0.25f)), sum1, sixth);
    g[0] = vfmaq_f32(outer, sum2, vdupq_n_f32(1.0f / 24));
    g[1] = fms_f32(vmulq_f32(difference2, vdupq_n_f32(1.0f / 12)), difference1, sixth);
    g[2] = vfmaq_f32(u[5], vsubq_f32(sum2, sum1), sixth);
  }
};

/// body(Winograd<tile>()).
template <class Body>
void with_winograd(WinogradTile tile, Body body) {
  if (tile == WinogradTile::two) {
    body(Winograd<WinogradTile::two>());
  } else {
    body(Winograd<WinogradTile::four>());
  }
}

}  // namespace bramble::kernels
