#include <algorithm>
#include <vector>

#include "kernels/pool/pool.h"

namespace bramble::kernels {
namespace {

// visit(output index, tap, input index) for every tap within x, channel by channel, taps in row-major order.
template <class Visit>
void for_each_tap(const PoolShape& shape, std::size_t n, std::size_t oh, std::size_t ow, Visit&& visit) {
  for (std::size_t tap = 0; tap < shape.kernel * shape.kernel; ++tap) {
    // Below the border these wrap to values far above the extents.
    const std::size_t h = oh * shape.stride + tap / shape.kernel - shape.padding;
    const std::size_t w = ow * shape.stride + tap % shape.kernel - shape.padding;
    if (h >= shape.height || w >= shape.width) continue;
    for (std::size_t c = 0; c < shape.channels; ++c) {
      visit(((n * shape.out_height + oh) * shape.out_width + ow) * shape.channels + c, tap,
            ((n * shape.height + h) * shape.width + w) * shape.channels + c);
    }
  }
}

template <class Visit>
void for_each_window(const PoolShape& shape, Visit&& visit) {
  for (std::size_t n = 0; n < shape.batch; ++n)
    for (std::size_t oh = 0; oh < shape.out_height; ++oh)
      for (std::size_t ow = 0; ow < shape.out_width; ++ow) visit(n, oh, ow);
}

double window_count(const PoolShape& shape, bool count_include_pad, std::size_t oh, std::size_t ow) {
  if (count_include_pad) return static_cast<double>(shape.kernel * shape.kernel);
  std::size_t taps = 0;
  for_each_tap(shape, 0, oh, ow, [&](auto...) { ++taps; });
  return static_cast<double>(taps / shape.channels);
}

}  // namespace

void max_pool2d_fwd_f32_ref(const PoolShape& shape, const float* x, float* y, std::uint8_t* argmax) {
  for_each_window(shape, [&](std::size_t n, std::size_t oh, std::size_t ow) {
    std::vector<bool> seen(shape.channels, false);
    for_each_tap(shape, n, oh, ow, [&](std::size_t out, std::size_t tap, std::size_t in) {
      const std::size_t c = out % shape.channels;
      if (seen[c] && x[in] <= y[out]) return;
      seen[c] = true;
      y[out] = x[in];
      argmax[out] = static_cast<std::uint8_t>(tap);
    });
  });
}

void max_pool2d_bwd_f32_ref(const PoolShape& shape, const float* dy, const std::uint8_t* argmax, float* dx) {
  std::fill_n(dx, shape.batch * shape.height * shape.width * shape.channels, 0.0f);
  for_each_window(shape, [&](std::size_t n, std::size_t oh, std::size_t ow) {
    for_each_tap(shape, n, oh, ow, [&](std::size_t out, std::size_t tap, std::size_t in) {
      if (argmax[out] == tap) dx[in] += dy[out];
    });
  });
}

void avg_pool2d_fwd_f32_ref(const PoolShape& shape, bool count_include_pad, const float* x, float* y) {
  for_each_window(shape, [&](std::size_t n, std::size_t oh, std::size_t ow) {
    std::vector<double> sum(shape.channels);
    for_each_tap(shape, n, oh, ow,
                 [&](std::size_t, std::size_t, std::size_t in) { sum[in % shape.channels] += x[in]; });
    const double count = window_count(shape, count_include_pad, oh, ow);
    for (std::size_t c = 0; c < shape.channels; ++c)
      y[((n * shape.out_height + oh) * shape.out_width + ow) * shape.channels + c] = static_cast<float>(sum[c] / count);
  });
}

void avg_pool2d_bwd_f32_ref(const PoolShape& shape, bool count_include_pad, const float* dy, float* dx) {
  std::vector<double> sum(shape.batch * shape.height * shape.width * shape.channels);
  for_each_window(shape, [&](std::size_t n, std::size_t oh, std::size_t ow) {
    const double count = window_count(shape, count_include_pad, oh, ow);
    for_each_tap(shape, n, oh, ow,
                 [&](std::size_t out, std::size_t, std::size_t in) { sum[in] += dy[out] / count; });
  });
  std::transform(sum.begin(), sum.end(), dx, [](double value) { return static_cast<float>(value); });
}

void global_avg_pool_fwd_f32_ref(std::size_t begin, std::size_t end, std::size_t pixels, std::size_t channels,
                                 const float* x, float* y) {
  for (std::size_t n = begin; n < end; ++n) {
    for (std::size_t c = 0; c < channels; ++c) {
      double sum = 0;
      for (std::size_t p = 0; p < pixels; ++p) sum += x[(n * pixels + p) * channels + c];
      y[n * channels + c] = static_cast<float>(sum / static_cast<double>(pixels));
    }
  }
}

void global_avg_pool_bwd_f32_ref(std::size_t begin, std::size_t end, std::size_t pixels, std::size_t channels,
                                 const float* dy, float* dx) {
  for (std::size_t n = begin; n < end; ++n)
    for (std::size_t p = 0; p < pixels; ++p)
      for (std::size_t c = 0; c < channels; ++c)
        dx[(n * pixels + p) * channels + c] = dy[n * channels + c] / static_cast<float>(pixels);
}

}  // namespace bramble::kernels
