// A tile of a stored weight, turned over: by data reads weights transposed. Include from _neon.cc files only.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/gemm/pack_rows_neon.h"

namespace bramble::kernels {

/// to[o * to_stride + c] = from[c * from_stride + o] for c < in <= 12, o < out <= 12; columns c from `in` to the next
/// multiple of 4 become zeros.
inline void transpose_tile_f32(const float* from, std::int64_t from_stride, std::int64_t in, std::int64_t out, float* to,
                               std::int64_t to_stride) {
  for (std::int64_t c = 0; c < in; c += 4) {
    for (std::int64_t o = 0; o < out; o += 4) {
      const float* source = from + c * from_stride + o;
      float* target = to + o * to_stride + c;
      if (c + 4 <= in && o + 4 <= out) {
        float32x4_t r[4] = {vld1q_f32(source), vld1q_f32(source + from_stride), vld1q_f32(source + 2 * from_stride),
                            vld1q_f32(source + 3 * from_stride)};
        transpose_4x4_f32(r);
        for (int i = 0; i < 4; ++i) vst1q_f32(target + i * to_stride, r[i]);
      } else {
        for (std::int64_t i = 0; i < std::min<std::int64_t>(4, out - o); ++i) {
          for (std::int64_t j = 0; j < 4; ++j) target[i * to_stride + j] = c + j < in ? source[j * from_stride + i] : 0;
        }
      }
    }
  }
}

}  // namespace bramble::kernels
