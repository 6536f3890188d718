#include <algorithm>

#include "kernels/resize/resize.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

/// y (=) the four neighbours' mean with the two axes' shares.
void blend_pixel(const float* top, const float* bottom, const ResizeTaps& across, float down, std::size_t channels,
                 float* y) {
  const std::size_t left = across.first * channels, right = across.second * channels;
  for_each_vector(0, channels, [&](auto lanes, std::size_t c) {
    const auto along = [&](const float* row) {
      const float32x4_t first = lanes.load(row + left + c), second = lanes.load(row + right + c);
      return vfmaq_n_f32(vmulq_n_f32(first, 1.0f - across.share), second, across.share);
    };
    lanes.store(y + c, vfmaq_n_f32(vmulq_n_f32(along(top), 1.0f - down), along(bottom), down));
  });
}

void copy_pixel(const float* x, std::size_t channels, float* y) {
  for_each_vector(0, channels, [&](auto lanes, std::size_t c) { lanes.store(y + c, lanes.load(x + c)); });
}

/// dx += dy * share.
void spread_pixel(const float* dy, float share, std::size_t channels, float* dx) {
  if (share == 0) return;
  for_each_vector(0, channels, [&](auto lanes, std::size_t c) {
    lanes.store(dx + c, vfmaq_n_f32(lanes.load(dx + c), lanes.load(dy + c), share));
  });
}

/// What source position `at` has in an output position's taps.
float share_of(const ResizeTaps& taps, std::size_t at) {
  return (taps.first == at ? 1.0f - taps.share : 0.0f) + (taps.second == at ? taps.share : 0.0f);
}

}  // namespace

ResizeTaps resize_taps(ResizeMode mode, std::size_t in, std::size_t out, std::size_t at) {
  if (mode == ResizeMode::nearest) return {at * in / out, at * in / out, 0.0f};
  if (mode == ResizeMode::bilinear_corners) {
    const std::size_t steps = std::max<std::size_t>(out - 1, 1), source = at * (in - 1);
    const std::size_t first = source / steps;
    const float share = static_cast<float>(source % steps) / static_cast<float>(steps);
    return {first, std::min(first + 1, in - 1), share};
  }
  if (mode == ResizeMode::adaptive_average) {
    const std::size_t first = at * in / out, last = ((at + 1) * in - 1) / out;
    return {first, last, last > first ? 0.5f : 0.0f};
  }
  const float ratio = static_cast<float>(in) / static_cast<float>(out);
  const float source = std::max((static_cast<float>(at) + 0.5f) * ratio - 0.5f, 0.0f);
  const std::size_t first = std::min(static_cast<std::size_t>(source), in - 1);
  return {first, std::min(first + 1, in - 1), source - static_cast<float>(first)};
}

void resize_fwd_f32(ResizeMode mode, const ResizeShape& shape, std::size_t row_begin, std::size_t row_end,
                    const float* x, float* y) {
  const std::size_t pitch = shape.width * shape.channels;
  for (std::size_t row = row_begin; row < row_end; ++row) {
    const float* const image = x + row / shape.out_height * shape.height * pitch;
    const ResizeTaps down = resize_taps(mode, shape.height, shape.out_height, row % shape.out_height);
    for (std::size_t w = 0; w < shape.out_width; ++w) {
      const ResizeTaps across = resize_taps(mode, shape.width, shape.out_width, w);
      float* const pixel = y + (row * shape.out_width + w) * shape.channels;
      const float* const top = image + down.first * pitch;
      if (mode == ResizeMode::nearest)
        copy_pixel(top + across.first * shape.channels, shape.channels, pixel);
      else
        blend_pixel(top, image + down.second * pitch, across, down.share, shape.channels, pixel);
    }
  }
}

void resize_bwd_f32(ResizeMode mode, const ResizeShape& shape, std::size_t row_begin, std::size_t row_end,
                    const float* dy, float* dx) {
  const std::size_t pitch = shape.out_width * shape.channels;
  for (std::size_t row = row_begin; row < row_end; ++row) {
    const float* const image = dy + row / shape.height * shape.out_height * pitch;
    float* const gradient = dx + row * shape.width * shape.channels;
    std::fill_n(gradient, shape.width * shape.channels, 0.0f);
    for (std::size_t h = 0; h < shape.out_height; ++h) {
      const float share = share_of(resize_taps(mode, shape.height, shape.out_height, h), row % shape.height);
      if (share == 0) continue;
      for (std::size_t w = 0; w < shape.out_width; ++w) {
        const ResizeTaps across = resize_taps(mode, shape.width, shape.out_width, w);
        const float* const pixel = image + h * pitch + w * shape.channels;
        spread_pixel(pixel, share * (1.0f - across.share), shape.channels, gradient + across.first * shape.channels);
        spread_pixel(pixel, share * across.share, shape.channels, gradient + across.second * shape.channels);
      }
    }
  }
}

}  // namespace bramble::kernels
