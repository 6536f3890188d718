#include "kernels/squeeze_excite/squeeze_excite.h"

#include <algorithm>

#include "kernels/batchnorm/way_in_neon.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

constexpr std::size_t kBlockPixels = 64;  // float sums stay short; doubles take over beyond

// sums[c] (+=) a block's sum of x', times dy unless that is null; rows from `begin` to `end` stay in registers.
template <class WayIn, bool Product, int kVectors, class Lanes>
inline void sum_block(const Lanes& lanes, const SqueezeExciteSource& source, std::size_t begin, std::size_t end,
                      const float* dy, std::size_t c, std::size_t width, double* sums) {
  const WayIn way_in[2] = {{lanes, source.way_in, c}, {lanes, source.way_in, c + 4 * (kVectors - 1)}};
  float32x4_t sum[kVectors];
#pragma GCC unroll 2
  for (int v = 0; v < kVectors; ++v) sum[v] = vdupq_n_f32(0);
  for (std::size_t i = begin * source.channels + c; i < end * source.channels; i += source.channels) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      const float32x4_t x = way_in[v](lanes.load(source.x + i + 4 * v));
      if constexpr (Product) sum[v] = vfmaq_f32(sum[v], x, lanes.load(dy + i + 4 * v));
      else sum[v] = vaddq_f32(sum[v], x);
    }
  }
  float s[4 * kVectors];
#pragma GCC unroll 2
  for (int v = 0; v < kVectors; ++v) vst1q_f32(s + 4 * v, sum[v]);
  for (std::size_t j = 0; j < width; ++j) sums[c + j] += s[j];
}

template <class WayIn, bool Product>
void sum(const SqueezeExciteSource& source, std::size_t pixels, std::size_t channel_begin, std::size_t channel_end,
         const float* dy, double* sums) {
  std::fill(sums + channel_begin, sums + channel_end, 0.0);
  for (std::size_t begin = 0; begin < pixels; begin += kBlockPixels) {
    const std::size_t end = std::min(begin + kBlockPixels, pixels);
    std::size_t c = channel_begin;
    for (; c + 8 <= channel_end; c += 8)
      sum_block<WayIn, Product, 2>(AllLanes{}, source, begin, end, dy, c, 8, sums);
    for_each_vector(c, channel_end, [&](auto lanes, std::size_t i) {
      const std::size_t width = std::min<std::size_t>(4, channel_end - i);
      sum_block<WayIn, Product, 1>(lanes, source, begin, end, dy, i, width, sums);
    });
  }
}

// Four rows share the loads of the per-channel vectors.
template <class WayIn, int Rows>
void scale_rows(const SqueezeExciteSource& source, std::size_t pixel, const float* gate, float* y) {
  for_each_vector(0, source.channels, [&](auto lanes, std::size_t c) {
    const WayIn way_in(lanes, source.way_in, c);
    const float32x4_t factor = lanes.load(gate + c);
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) {
      const std::size_t i = (pixel + r) * source.channels + c;
      lanes.store(y + i, vmulq_f32(way_in(lanes.load(source.x + i)), factor));
    }
  });
}

template <int Rows>
void data_rows(std::size_t channels, const float* dy, const float* gate, const float* dmean, float share, float* dx) {
  for_each_vector(0, channels, [&](auto lanes, std::size_t c) {
    const float32x4_t factor = lanes.load(gate + c);
    const float32x4_t pooled = vmulq_n_f32(lanes.load(dmean + c), share);
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) {
      const std::size_t i = r * channels + c;
      lanes.store(dx + i, vfmaq_f32(pooled, lanes.load(dy + i), factor));
    }
  });
}

}  // namespace

void squeeze_excite_fwd_pool_f32(const SqueezeExciteSource& source, std::size_t pixels, std::size_t channel_begin,
                                 std::size_t channel_end, double* sums) {
  dispatch_way_in(source.way_in,
                  [&]<class WayIn>() { sum<WayIn, false>(source, pixels, channel_begin, channel_end, nullptr, sums); });
}

void squeeze_excite_bwd_gate_f32(const SqueezeExciteSource& source, std::size_t pixels, std::size_t channel_begin,
                                 std::size_t channel_end, const float* dy, double* sums) {
  dispatch_way_in(source.way_in,
                  [&]<class WayIn>() { sum<WayIn, true>(source, pixels, channel_begin, channel_end, dy, sums); });
}

void squeeze_excite_fwd_scale_f32(const SqueezeExciteSource& source, std::size_t begin, std::size_t end,
                                  const float* gate, float* y) {
  dispatch_way_in(source.way_in, [&]<class WayIn>() {
    std::size_t p = begin;
    for (; p + 4 <= end; p += 4) scale_rows<WayIn, 4>(source, p, gate, y);
    for (; p < end; ++p) scale_rows<WayIn, 1>(source, p, gate, y);
  });
}

void squeeze_excite_bwd_data_f32(std::size_t channels, std::size_t begin, std::size_t end, const float* dy,
                                 const float* gate, const float* dmean, float share, float* dx) {
  std::size_t p = begin;
  for (; p + 4 <= end; p += 4) data_rows<4>(channels, dy + p * channels, gate, dmean, share, dx + p * channels);
  for (; p < end; ++p) data_rows<1>(channels, dy + p * channels, gate, dmean, share, dx + p * channels);
}

}  // namespace bramble::kernels
