#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/resize/resize.h"

namespace bramble::kernels {
namespace {

struct Tap {
  std::size_t at;
  double share;
};

/// By definition, and independently of resize_taps.
std::vector<Tap> taps_of(ResizeMode mode, std::size_t in, std::size_t out, std::size_t at) {
  const double ratio = static_cast<double>(in) / static_cast<double>(out);
  if (mode == ResizeMode::nearest) return {{at * in / out, 1.0}};
  if (mode == ResizeMode::bilinear_corners) {
    const double source = out > 1 ? static_cast<double>(at * (in - 1)) / static_cast<double>(out - 1) : 0.0;
    const auto first = static_cast<std::size_t>(std::floor(source));
    return {{first, 1 - (source - std::floor(source))}, {std::min(first + 1, in - 1), source - std::floor(source)}};
  }
  if (mode == ResizeMode::adaptive_average) {
    std::vector<Tap> taps;
    const auto end = static_cast<std::size_t>(std::ceil(static_cast<double>((at + 1) * in) / static_cast<double>(out)));
    for (std::size_t i = at * in / out; i < end; ++i) taps.push_back({i, 0});
    for (Tap& tap : taps) tap.share = 1.0 / static_cast<double>(taps.size());
    return taps;
  }
  const double source = std::max((static_cast<double>(at) + 0.5) * ratio - 0.5, 0.0);
  const auto first = static_cast<std::size_t>(std::floor(source));
  const double share = source - std::floor(source);
  return {{std::min(first, in - 1), 1 - share}, {std::min(first + 1, in - 1), share}};
}

/// Calls visit(index in x, index in y, share) for every product.
template <class Visit>
void for_each_product(ResizeMode mode, const ResizeShape& s, Visit visit) {
  for (std::size_t n = 0; n < s.batch; ++n)
    for (std::size_t h = 0; h < s.out_height; ++h)
      for (std::size_t w = 0; w < s.out_width; ++w)
        for (const Tap& down : taps_of(mode, s.height, s.out_height, h))
          for (const Tap& across : taps_of(mode, s.width, s.out_width, w))
            for (std::size_t c = 0; c < s.channels; ++c)
              visit(((n * s.height + down.at) * s.width + across.at) * s.channels + c,
                    ((n * s.out_height + h) * s.out_width + w) * s.channels + c, down.share * across.share);
}

void store(const std::vector<double>& from, float* to) {
  std::transform(from.begin(), from.end(), to, [](double value) { return static_cast<float>(value); });
}

}  // namespace

void resize_fwd_f32_ref(ResizeMode mode, const ResizeShape& shape, const float* x, float* y) {
  std::vector<double> sums(shape.batch * shape.out_height * shape.out_width * shape.channels);
  for_each_product(mode, shape, [&](std::size_t xi, std::size_t yi, double share) { sums[yi] += share * x[xi]; });
  store(sums, y);
}

void resize_bwd_f32_ref(ResizeMode mode, const ResizeShape& shape, const float* dy, float* dx) {
  std::vector<double> sums(shape.batch * shape.height * shape.width * shape.channels);
  for_each_product(mode, shape, [&](std::size_t xi, std::size_t yi, double share) { sums[xi] += share * dy[yi]; });
  store(sums, dx);
}

}  // namespace bramble::kernels
