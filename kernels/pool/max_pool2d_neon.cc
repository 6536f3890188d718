#include "kernels/pool/pool.h"
#include "kernels/pool/window.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

// One output pixel's taps: the first one's pixel in x, and how many rows and columns of them are within the image.
struct Window {
  const float* x;
  std::size_t rows, columns;
  std::size_t row_stride, column_stride;  // in floats
  std::uint32_t first_tap, kernel;
};

template <int Vectors>
struct Best {
  float32x4_t value[Vectors];
  uint32x4_t tap[Vectors];
};

template <int Vectors, class Lanes>
inline Best<Vectors> find_best(const Lanes& lanes, const Window& window, std::size_t c) {
  Best<Vectors> best;
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; ++v) {
    best.value[v] = lanes.load(window.x + c + 4 * v);
    best.tap[v] = vdupq_n_u32(window.first_tap);
  }
  for (std::size_t row = 0; row < window.rows; ++row) {
    for (std::size_t column = 0; column < window.columns; ++column) {
      const float* x = window.x + row * window.row_stride + column * window.column_stride + c;
      const uint32x4_t tap = vdupq_n_u32(static_cast<std::uint32_t>(window.first_tap + row * window.kernel + column));
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) {
        const float32x4_t value = lanes.load(x + 4 * v);
        const uint32x4_t larger = vcgtq_f32(value, best.value[v]);  // an equal one came first
        best.value[v] = vbslq_f32(larger, value, best.value[v]);
        best.tap[v] = vbslq_u32(larger, tap, best.tap[v]);
      }
    }
  }
  return best;
}

void pool_pixel(const Window& window, std::size_t channels, float* y, std::uint8_t* argmax) {
  std::size_t c = 0;
  for (; c + 16 <= channels; c += 16) {  // 16 taps are one vector of bytes
    const Best<4> best = find_best<4>(AllLanes{}, window, c);
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) vst1q_f32(y + c + 4 * v, best.value[v]);
    if (argmax == nullptr) continue;
    const uint16x8_t low = vcombine_u16(vmovn_u32(best.tap[0]), vmovn_u32(best.tap[1]));
    const uint16x8_t high = vcombine_u16(vmovn_u32(best.tap[2]), vmovn_u32(best.tap[3]));
    vst1q_u8(argmax + c, vcombine_u8(vmovn_u16(low), vmovn_u16(high)));
  }
  for_each_vector(c, channels, [&](auto lanes, std::size_t i) {
    const Best<1> best = find_best<1>(lanes, window, i);
    lanes.store(y + i, best.value[0]);
    if (argmax == nullptr) return;
    std::uint32_t taps[4];
    vst1q_u32(taps, best.tap[0]);
    for (std::size_t lane = 0; lane < 4 && i + lane < channels; ++lane) {
      argmax[i + lane] = static_cast<std::uint8_t>(taps[lane]);
    }
  });
}

// Adds dy where argmax is `tap`, for 16 channels.
inline void add_chosen(const float* dy, const std::uint8_t* argmax, std::uint8_t tap, float32x4_t* sum) {
  const int8x16_t chosen = vreinterpretq_s8_u8(vceqq_u8(vld1q_u8(argmax), vdupq_n_u8(tap)));
  const int16x8_t halves[2] = {vmovl_s8(vget_low_s8(chosen)), vmovl_s8(vget_high_s8(chosen))};
#pragma GCC unroll 4
  for (int v = 0; v < 4; ++v) {
    const int16x8_t half = halves[v / 2];
    const int32x4_t mask = vmovl_s16(v % 2 == 0 ? vget_low_s16(half) : vget_high_s16(half));
    const int32x4_t bits = vreinterpretq_s32_f32(vld1q_f32(dy + 4 * v));
    sum[v] = vaddq_f32(sum[v], vreinterpretq_f32_s32(vandq_s32(bits, mask)));
  }
}

// visit(index of the window's first channel in dy, its tap that is this pixel)
template <class Visit>
inline void for_each_window(const PoolShape& shape, std::size_t n, std::size_t h, std::size_t w, Interval rows,
                            Interval columns, Visit&& visit) {
  for (std::size_t oh = rows.begin; oh < rows.end; ++oh) {
    const std::size_t kh = h + shape.padding - oh * shape.stride;
    for (std::size_t ow = columns.begin; ow < columns.end; ++ow) {
      const std::size_t kw = w + shape.padding - ow * shape.stride;
      visit(((n * shape.out_height + oh) * shape.out_width + ow) * shape.channels,
            static_cast<std::uint8_t>(kh * shape.kernel + kw));
    }
  }
}

}  // namespace

PoolRows pooled_rows(const PoolShape& shape, std::size_t row_begin, std::size_t row_end) {
  const std::size_t image = row_begin / shape.out_height * shape.height;
  const std::size_t top = row_begin % shape.out_height, bottom = (row_end - 1) % shape.out_height;
  const Interval first = taps_within(top, shape.height, shape.kernel, shape.stride, shape.padding);
  const Interval last = taps_within(bottom, shape.height, shape.kernel, shape.stride, shape.padding);
  return {image + top * shape.stride + first.begin - shape.padding,
          image + bottom * shape.stride + last.end - shape.padding};
}

void max_pool2d_fwd_f32(const PoolShape& shape, std::size_t row_begin, std::size_t row_end, const float* x, float* y,
                        std::uint8_t* argmax, std::size_t first_row) {
  const std::size_t row_stride = shape.width * shape.channels;
  for (std::size_t row = row_begin; row < row_end; ++row) {
    const std::size_t n = row / shape.out_height;
    const std::size_t oh = row % shape.out_height;
    const Interval kh = taps_within(oh, shape.height, shape.kernel, shape.stride, shape.padding);
    const std::size_t h = oh * shape.stride + kh.begin - shape.padding;
    for (std::size_t ow = 0; ow < shape.out_width; ++ow) {
      const Interval kw = taps_within(ow, shape.width, shape.kernel, shape.stride, shape.padding);
      const std::size_t w = ow * shape.stride + kw.begin - shape.padding;
      const Window window{x + (n * shape.height + h - first_row) * row_stride + w * shape.channels,
                          kh.end - kh.begin,
                          kw.end - kw.begin,
                          row_stride,
                          shape.channels,
                          static_cast<std::uint32_t>(kh.begin * shape.kernel + kw.begin),
                          static_cast<std::uint32_t>(shape.kernel)};
      const std::size_t pixel = (row * shape.out_width + ow) * shape.channels;
      pool_pixel(window, shape.channels, y + pixel, argmax == nullptr ? nullptr : argmax + pixel);
    }
  }
}

void max_pool2d_bwd_f32(const PoolShape& shape, std::size_t row_begin, std::size_t row_end, const float* dy,
                        const std::uint8_t* argmax, float* dx, std::size_t first_row) {
  for (std::size_t row = row_begin; row < row_end; ++row) {
    const std::size_t n = row / shape.height;
    const std::size_t h = row % shape.height;
    const Interval rows = windows_over(h, shape.out_height, shape.kernel, shape.stride, shape.padding);
    for (std::size_t w = 0; w < shape.width; ++w) {
      const Interval columns = windows_over(w, shape.out_width, shape.kernel, shape.stride, shape.padding);
      float* pixel = dx + ((row - first_row) * shape.width + w) * shape.channels;
      std::size_t c = 0;
      for (; c + 16 <= shape.channels; c += 16) {
        float32x4_t sum[4] = {vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0)};
        for_each_window(shape, n, h, w, rows, columns,
                        [&](std::size_t i, std::uint8_t tap) { add_chosen(dy + i + c, argmax + i + c, tap, sum); });
#pragma GCC unroll 4
        for (int v = 0; v < 4; ++v) vst1q_f32(pixel + c + 4 * v, sum[v]);
      }
      for (; c < shape.channels; ++c) {
        float sum = 0;
        for_each_window(shape, n, h, w, rows, columns,
                        [&](std::size_t i, std::uint8_t tap) { sum += argmax[i + c] == tap ? dy[i + c] : 0.0f; });
        pixel[c] = sum;
      }
    }
  }
}

}  // namespace bramble::kernels
