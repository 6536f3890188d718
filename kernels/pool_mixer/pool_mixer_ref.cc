#include <vector>

#include "kernels/pool_mixer/pool_mixer.h"

namespace bramble::kernels {
namespace {

/// Calls visit(pixel, pixel of its window, 1 / the window's size).
template <class Visit>
void for_each_pair(const PoolMixerShape& s, Visit visit) {
  const auto radius = static_cast<long>(s.radius), height = static_cast<long>(s.height),
             width = static_cast<long>(s.width);
  const auto inside = [](long at, long extent) { return at >= 0 && at < extent; };
  for (long n = 0; n < static_cast<long>(s.batch); ++n)
    for (long h = 0; h < height; ++h)
      for (long w = 0; w < width; ++w) {
        std::vector<std::size_t> window;
        for (long i = h - radius; i <= h + radius; ++i)
          for (long j = w - radius; j <= w + radius; ++j)
            if (inside(i, height) && inside(j, width))
              window.push_back(static_cast<std::size_t>((n * height + i) * width + j));
        for (const std::size_t other : window)
          visit(static_cast<std::size_t>((n * height + h) * width + w), other, 1.0 / static_cast<double>(window.size()));
      }
}

}  // namespace

void pool_mixer_fwd_f32_ref(const PoolMixerShape& shape, const float* x, const float* gamma, float* y) {
  const std::size_t channels = shape.channels;
  std::vector<double> pool(shape.batch * shape.height * shape.width * channels);
  for_each_pair(shape, [&](std::size_t pixel, std::size_t other, double share) {
    for (std::size_t c = 0; c < channels; ++c) pool[pixel * channels + c] += share * x[other * channels + c];
  });
  for (std::size_t i = 0; i < pool.size(); ++i)
    y[i] = static_cast<float>((shape.residual ? x[i] : 0.0f) +
                              (gamma ? gamma[i % channels] : 1.0f) * (pool[i] - x[i]));
}

void pool_mixer_bwd_f32_ref(const PoolMixerShape& shape, const float* dy, const float* x, const float* gamma,
                            float* dx, float* dgamma) {
  const std::size_t channels = shape.channels;
  std::vector<double> spread(shape.batch * shape.height * shape.width * channels), sums(channels);
  for_each_pair(shape, [&](std::size_t pixel, std::size_t other, double share) {
    for (std::size_t c = 0; c < channels; ++c) spread[other * channels + c] += share * dy[pixel * channels + c];
  });
  for (std::size_t i = 0; i < spread.size(); ++i) {
    const double t = spread[i] - dy[i];
    sums[i % channels] += t * x[i];
    if (dx != nullptr)
      dx[i] = static_cast<float>((shape.residual ? dy[i] : 0.0f) + (gamma ? gamma[i % channels] : 1.0f) * t);
  }
  for (std::size_t c = 0; dgamma != nullptr && c < channels; ++c) dgamma[c] = static_cast<float>(sums[c]);
}

}  // namespace bramble::kernels
