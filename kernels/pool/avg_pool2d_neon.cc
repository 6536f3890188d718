#include "kernels/column_sum/column_sum.h"
#include "kernels/pool/pool.h"
#include "kernels/pool/window.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

// 1 / what the window at (oh, ow) divides by.
float window_share(const PoolShape& shape, bool count_include_pad, std::size_t oh, std::size_t ow) {
  if (count_include_pad) return 1.0f / static_cast<float>(shape.kernel * shape.kernel);
  const Interval kh = taps_within(oh, shape.height, shape.kernel, shape.stride, shape.padding);
  const Interval kw = taps_within(ow, shape.width, shape.kernel, shape.stride, shape.padding);
  return 1.0f / static_cast<float>((kh.end - kh.begin) * (kw.end - kw.begin));
}

}  // namespace

void avg_pool2d_fwd_f32(const PoolShape& shape, bool count_include_pad, std::size_t row_begin, std::size_t row_end,
                        const float* x, float* y) {
  for (std::size_t row = row_begin; row < row_end; ++row) {
    const std::size_t n = row / shape.out_height;
    const std::size_t oh = row % shape.out_height;
    const Interval kh = taps_within(oh, shape.height, shape.kernel, shape.stride, shape.padding);
    for (std::size_t ow = 0; ow < shape.out_width; ++ow) {
      const Interval kw = taps_within(ow, shape.width, shape.kernel, shape.stride, shape.padding);
      const std::size_t h = n * shape.height + oh * shape.stride - shape.padding;  // of tap 0, maybe above the image
      const std::size_t w = ow * shape.stride - shape.padding;
      const float32x4_t share = vdupq_n_f32(window_share(shape, count_include_pad, oh, ow));
      float* pixel = y + (row * shape.out_width + ow) * shape.channels;
      for_each_vector(0, shape.channels, [&](auto lanes, std::size_t c) {
        float32x4_t sum = vdupq_n_f32(0);
        for (std::size_t i = kh.begin; i < kh.end; ++i)
          for (std::size_t j = kw.begin; j < kw.end; ++j)
            sum = vaddq_f32(sum, lanes.load(x + ((h + i) * shape.width + (w + j)) * shape.channels + c));
        lanes.store(pixel + c, vmulq_f32(sum, share));
      });
    }
  }
}

void avg_pool2d_bwd_f32(const PoolShape& shape, bool count_include_pad, std::size_t row_begin, std::size_t row_end,
                        const float* dy, float* dx) {
  for (std::size_t row = row_begin; row < row_end; ++row) {
    const std::size_t n = row / shape.height;
    const Interval rows =
        windows_over(row % shape.height, shape.out_height, shape.kernel, shape.stride, shape.padding);
    for (std::size_t w = 0; w < shape.width; ++w) {
      const Interval columns = windows_over(w, shape.out_width, shape.kernel, shape.stride, shape.padding);
      float* pixel = dx + (row * shape.width + w) * shape.channels;
      for_each_vector(0, shape.channels, [&](auto lanes, std::size_t c) {
        float32x4_t sum = vdupq_n_f32(0);
        for (std::size_t oh = rows.begin; oh < rows.end; ++oh) {
          for (std::size_t ow = columns.begin; ow < columns.end; ++ow) {
            const float* window = dy + ((n * shape.out_height + oh) * shape.out_width + ow) * shape.channels;
            const float32x4_t share = vdupq_n_f32(window_share(shape, count_include_pad, oh, ow));
            sum = vfmaq_f32(sum, lanes.load(window + c), share);
          }
        }
        lanes.store(pixel + c, sum);
      });
    }
  }
}

void global_avg_pool_fwd_f32(std::size_t begin, std::size_t end, std::size_t pixels, std::size_t channels,
                             const float* x, float* y) {
  const float32x4_t share = vdupq_n_f32(1.0f / static_cast<float>(pixels));
  for (std::size_t n = begin; n < end; ++n) {
    float* mean = y + n * channels;
    column_sum_f32(0, pixels, 0, channels, channels, x + n * pixels * channels, mean);
    for_each_vector(0, channels,
                    [&](auto lanes, std::size_t c) { lanes.store(mean + c, vmulq_f32(lanes.load(mean + c), share)); });
  }
}

void global_avg_pool_bwd_f32(std::size_t begin, std::size_t end, std::size_t pixels, std::size_t channels,
                             const float* dy, float* dx) {
  const float32x4_t share = vdupq_n_f32(1.0f / static_cast<float>(pixels));
  for (std::size_t n = begin; n < end; ++n) {
    for (std::size_t p = 0; p < pixels; ++p) {
      float* pixel = dx + (n * pixels + p) * channels;
      for_each_vector(0, channels, [&](auto lanes, std::size_t c) {
        lanes.store(pixel + c, vmulq_f32(lanes.load(dy + n * channels + c), share));
      });
    }
  }
}

}  // namespace bramble::kernels
