#include "kernels/pool_mixer/pool_mixer.h"

#include <algorithm>

#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

/// Positions along an axis within the radius of `at`, inside the image.
struct Range {
  Range(std::size_t at, std::size_t radius, std::size_t extent)
      : begin(at - std::min(at, radius)), end(std::min(at + radius + 1, extent)) {}
  std::size_t size() const { return end - begin; }
  std::size_t begin, end;
};

/// The sum of a window, four channels of it.
template <class Lanes>
inline float32x4_t window_sum(Lanes lanes, const float* image, const Range& rows, const Range& cols, std::size_t pitch,
                              std::size_t channels) {
  float32x4_t sum = vdupq_n_f32(0);
  for (std::size_t h = rows.begin; h < rows.end; ++h) {
    const float* pixel = image + h * pitch + cols.begin * channels;
    for (std::size_t w = cols.begin; w < cols.end; ++w, pixel += channels) sum = vaddq_f32(sum, lanes.load(pixel));
  }
  return sum;
}

/// As window_sum, each pixel divided by the size of its own window.
template <class Lanes>
inline float32x4_t transposed_sum(Lanes lanes, const PoolMixerShape& shape, const float* image, const Range& rows,
                                  const Range& cols) {
  float32x4_t sum = vdupq_n_f32(0);
  for (std::size_t h = rows.begin; h < rows.end; ++h) {
    const std::size_t height = Range(h, shape.radius, shape.height).size();
    const float* pixel = image + (h * shape.width + cols.begin) * shape.channels;
    for (std::size_t w = cols.begin; w < cols.end; ++w, pixel += shape.channels) {
      const std::size_t count = height * Range(w, shape.radius, shape.width).size();
      sum = vfmaq_n_f32(sum, lanes.load(pixel), 1.0f / static_cast<float>(count));
    }
  }
  return sum;
}

/// Whether every pixel of the window has a whole window of its own.
bool is_inner(const Range& range, std::size_t radius, std::size_t extent) {
  return range.begin >= radius && range.end + radius <= extent;
}

}  // namespace

void pool_mixer_fwd_f32(const PoolMixerShape& shape, std::size_t row_begin, std::size_t row_end, const float* x,
                        const float* gamma, float* y) {
  const std::size_t pitch = shape.width * shape.channels;
  for (std::size_t row = row_begin; row < row_end; ++row) {
    const float* const image = x + row / shape.height * shape.height * pitch;
    const Range rows(row % shape.height, shape.radius, shape.height);
    for (std::size_t w = 0; w < shape.width; ++w) {
      const Range cols(w, shape.radius, shape.width);
      const float32x4_t share = vdupq_n_f32(1.0f / static_cast<float>(rows.size() * cols.size()));
      const std::size_t at = row * pitch + w * shape.channels;
      for_each_vector(0, shape.channels, [&](auto lanes, std::size_t c) {
        const float32x4_t own = lanes.load(x + at + c);
        const float32x4_t sum = window_sum(lanes, image + c, rows, cols, pitch, shape.channels);
        const float32x4_t mixed = vsubq_f32(vmulq_f32(sum, share), own);
        const float32x4_t factor = gamma != nullptr ? lanes.load(gamma + c) : vdupq_n_f32(1.0f);
        lanes.store(y + at + c, vfmaq_f32(shape.residual ? own : vdupq_n_f32(0), mixed, factor));
      });
    }
  }
}

void pool_mixer_bwd_f32(const PoolMixerShape& shape, std::size_t row_begin, std::size_t row_end, const float* dy,
                        const float* x, const float* gamma, float* dx, float* dgamma) {
  const std::size_t pitch = shape.width * shape.channels;
  const std::size_t whole = (2 * shape.radius + 1) * (2 * shape.radius + 1);
  const float32x4_t share = vdupq_n_f32(1.0f / static_cast<float>(whole));
  if (dgamma != nullptr) std::fill_n(dgamma, shape.channels, 0.0f);
  for (std::size_t row = row_begin; row < row_end; ++row) {
    const float* const image = dy + row / shape.height * shape.height * pitch;
    const Range rows(row % shape.height, shape.radius, shape.height);
    for (std::size_t w = 0; w < shape.width; ++w) {
      const Range cols(w, shape.radius, shape.width);
      const bool inner = is_inner(rows, shape.radius, shape.height) && is_inner(cols, shape.radius, shape.width);
      const std::size_t at = row * pitch + w * shape.channels;
      for_each_vector(0, shape.channels, [&](auto lanes, std::size_t c) {
        const float32x4_t own = lanes.load(dy + at + c);
        const float32x4_t spread =
            inner ? vmulq_f32(window_sum(lanes, image + c, rows, cols, pitch, shape.channels), share)
                  : transposed_sum(lanes, shape, image + c, rows, cols);
        const float32x4_t t = vsubq_f32(spread, own);
        if (dgamma != nullptr)
          lanes.store(dgamma + c, vfmaq_f32(lanes.load(dgamma + c), t, lanes.load(x + at + c)));
        const float32x4_t factor = gamma != nullptr ? lanes.load(gamma + c) : vdupq_n_f32(1.0f);
        if (dx != nullptr) lanes.store(dx + at + c, vfmaq_f32(shape.residual ? own : vdupq_n_f32(0), t, factor));
      });
    }
  }
}

}  // namespace bramble::kernels
