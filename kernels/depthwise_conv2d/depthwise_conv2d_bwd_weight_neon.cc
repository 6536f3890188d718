// By-weight: for a tile of pixels of a row of dy, held in registers, each group of taps of one source row gets its
// products. Sums of a tile go to dw in memory (L1: the taps of a block of channels), which also keeps rounding small.
#include <algorithm>
#include <cstddef>

#include "kernels/depthwise_conv2d/depthwise_conv2d.h"
#include "kernels/depthwise_conv2d/lanes_neon.h"
#include "kernels/depthwise_conv2d/taps.h"
#include "kernels/simd/neon.h"

namespace bramble::kernels {
namespace {

using depthwise::AxisTaps;
using depthwise::kChannelBlock;
using depthwise::SourceImage;
using depthwise::TapTable;
using Filter = depthwise::Filter<float>;

constexpr int kTile = 7;

/// What a tile reads of dy.
using TilePixels = const float*[kTile];

/// dw of the group's taps (+=) its source pixels times dy's.
template <int kWidth, int kStep, class Group, class Lanes>
inline __attribute__((always_inline)) void accumulate_group(const float32x4_t (&gradient)[kTile], const Group& group,
                                                            std::int64_t c, Lanes lanes) {
  // Even and odd pixels apart: 2 * kWidth chains hide the FMA's four cycles.
  float32x4_t even[kWidth], odd[kWidth];
#pragma GCC unroll 32
  for (int j = 0; j < (kTile - 1) * kStep + kWidth; ++j) {
    const float32x4_t pixel = lanes.load(group.columns[j] + c);
#pragma GCC unroll 8
    for (int t = 0; t < kTile; ++t) {
      const int k = j - t * kStep;
      if (k < 0 || k >= kWidth) continue;
      if (t == 0) even[k] = vfmaq_f32(lanes.load(group.taps[k] + c), pixel, gradient[t]);
      else if (t == 1) odd[k] = vmulq_f32(pixel, gradient[t]);
      else if (t % 2 == 0) even[k] = vfmaq_f32(even[k], pixel, gradient[t]);
      else odd[k] = vfmaq_f32(odd[k], pixel, gradient[t]);
    }
  }
#pragma GCC unroll 16
  for (int k = 0; k < kWidth; ++k) lanes.store(group.taps[k] + c, vaddq_f32(even[k], odd[k]));
}

template <int kGroups, int kWidth, int kStep, class Group, class Lanes>
inline void accumulate_vector(const Group* groups, int count, const TilePixels& dy, std::int64_t c, Lanes lanes) {
  float32x4_t gradient[kTile];
#pragma GCC unroll 8
  for (int t = 0; t < kTile; ++t) gradient[t] = lanes.load(dy[t] + c);
  if constexpr (kGroups == 0) {
    for (int g = 0; g < count; ++g) accumulate_group<kWidth, kStep>(gradient, groups[g], c, lanes);
  } else {
#pragma GCC unroll 8
    for (int g = 0; g < kGroups; ++g) accumulate_group<kWidth, kStep>(gradient, groups[g], c, lanes);
  }
}

template <class Lanes>
inline void accumulate_bias(const TilePixels& dy, float* db, std::int64_t c, Lanes lanes) {
  float32x4_t sum = lanes.load(dy[0] + c);
  for (int t = 1; t < kTile; ++t) sum = vaddq_f32(sum, lanes.load(dy[t] + c));
  lanes.store(db + c, vaddq_f32(lanes.load(db + c), sum));
}

template <int kWidth, int kStep>
void accumulate_row(const SourceImage& source, const Filter& sums, const AxisTaps& vertical, std::int64_t row,
                    const AxisTaps& horizontal, const SourceImage& gradient, float* db, std::int64_t channels) {
  TapTable<kWidth, kStep, kTile, float> table(source, sums, vertical, row, horizontal);
  const float* const dy = gradient.row(row);
  const std::int64_t count = gradient.width;
  for (std::int64_t position = 0; position < count; position += kTile) {
    TilePixels pixels;
    for (int t = 0; t < kTile; ++t)
      pixels[t] = position + t < count ? dy + (position + t) * gradient.pitch : depthwise::kZeros;
    for (bool more = true; more;) {
      more = table.fill();
      table.place(position);
      depthwise::dispatch_groups<kWidth>(table.count(), [&]<int kGroups>() {
        depthwise::for_each_vector(channels, [&](std::int64_t c, auto lanes) {
          accumulate_vector<kGroups, kWidth, kStep>(table.groups(), table.count(), pixels, c, lanes);
        });
      });
    }
    if (db == nullptr) continue;
    depthwise::for_each_vector(channels, [&](std::int64_t c, auto lanes) { accumulate_bias(pixels, db, c, lanes); });
  }
}

}  // namespace

void depthwise_conv2d_bwd_weight_f32(const DepthwiseConv2dShape& shape, const float* x, const float* dy, float* dw,
                                     float* db, const DepthwiseSlice& slice, bool accumulate) {
  if (!accumulate) {
    for (std::int64_t tap = 0; tap < shape.taps(); ++tap)
      std::fill_n(dw + tap * shape.channels + slice.channel_begin, slice.channels(), 0.0f);
    if (db != nullptr) std::fill_n(db + slice.channel_begin, slice.channels(), 0.0f);
  }
  const AxisTaps vertical =
      depthwise::forward_taps(shape.kernel_height, shape.stride, shape.padding_height, shape.dilation);
  const AxisTaps horizontal =
      depthwise::forward_taps(shape.kernel_width, shape.stride, shape.padding_width, shape.dilation);
  for (std::int64_t c = slice.channel_begin; c < slice.channel_end; c += kChannelBlock) {
    const Filter sums{dw + c, shape.kernel_width, shape.channels};
    const std::int64_t block = std::min(kChannelBlock, slice.channel_end - c);
    for (std::int64_t row = slice.row_begin; row < slice.row_end; ++row) {
      const SourceImage source = depthwise::forward_source(shape, x, row / shape.out_height, slice, c);
      const SourceImage gradient = depthwise::gradient_source(shape, dy, row / shape.out_height, slice, c);
      depthwise::dispatch_width(horizontal, [&]<int kWidth, int kStep>() {
        accumulate_row<kWidth, kStep>(source, sums, vertical, row % shape.out_height, horizontal, gradient,
                                      db ? db + c : nullptr, block);
      });
    }
  }
}

}  // namespace bramble::kernels
