// By-weight: for a tile of pixels of a row of dy, held in registers, each group of taps of one source row gets its
// products. Sums of a tile go to dw in memory (L1: the taps of a block of channels), which also keeps rounding small.
#include <algorithm>
#include <cstddef>

#include "kernels/depthwise_conv2d/depthwise_conv2d.h"
#include "kernels/depthwise_conv2d/lanes.h"
#include "kernels/depthwise_conv2d/taps.h"
#include "kernels/simd/neon.h"

namespace bramble::kernels {
namespace {

using depthwise::AxisTaps;
using depthwise::kChannelBlock;
using depthwise::SourceImage;
using depthwise::TapTable;

constexpr int kTile = 7;

/// Where the sums go, at the block's first channel.
struct Sums {
  float* dw = nullptr;  ///< [taps][channels]
  float* db = nullptr;  ///< or null
  std::int64_t kernel_width = 1;
  std::int64_t channels = 0;  ///< of the tensors
  std::int64_t block = 0;     ///< channels to compute
};

template <int kWidth, int kStep, class Lanes>
inline void accumulate_vector(const TapTable<kWidth, kStep, kTile>& table, const Sums& sums,
                              const float* const (&dy)[kTile], bool with_bias, std::int64_t c, Lanes lanes) {
  constexpr int kColumns = TapTable<kWidth, kStep, kTile>::kColumns;
  float32x4_t gradient[kTile];
#pragma GCC unroll 8
  for (int t = 0; t < kTile; ++t) gradient[t] = lanes.load(dy[t] + c);
  if (with_bias) {
    float32x4_t sum = vaddq_f32(gradient[0], gradient[1]);
#pragma GCC unroll 8
    for (int t = 2; t < kTile; ++t) sum = vaddq_f32(sum, gradient[t]);
    lanes.store(sums.db + c, vaddq_f32(lanes.load(sums.db + c), sum));
  }
  const std::int64_t tap_step = table.tap_step() * sums.channels;
  for (int group = 0; group < table.groups(); ++group) {
    float* dw = sums.dw + table.first_tap(group) * sums.channels + c;
    const float* const* columns = table.columns(group);
    // Even and odd pixels apart: 2 * kWidth chains hide the FMA's four cycles.
    float32x4_t even[kWidth], odd[kWidth];
#pragma GCC unroll 8
    for (int m = 0; m < kWidth; ++m) {
      even[m] = lanes.load(dw + m * tap_step);
      odd[m] = vdupq_n_f32(0);
    }
#pragma GCC unroll 32
    for (int j = 0; j < kColumns; ++j) {
      const float32x4_t pixel = lanes.load(columns[j] + c);
#pragma GCC unroll 8
      for (int t = 0; t < kTile; ++t) {
        const int m = j - t * kStep;
        if (m < 0 || m >= kWidth) continue;
        float32x4_t& sum = t % 2 == 0 ? even[m] : odd[m];
        sum = vfmaq_f32(sum, pixel, gradient[t]);
      }
    }
#pragma GCC unroll 8
    for (int m = 0; m < kWidth; ++m) lanes.store(dw + m * tap_step, vaddq_f32(even[m], odd[m]));
  }
}

template <int kWidth, int kStep>
void accumulate_row(const SourceImage& source, const AxisTaps& vertical, std::int64_t row, const AxisTaps& horizontal,
                    const float* dy, std::int64_t count, const Sums& sums) {
  const std::int64_t whole = sums.block & ~std::int64_t{3};
  const auto tail = static_cast<std::size_t>(sums.block - whole);
  for (std::int64_t position = 0; position < count; position += kTile) {
    const float* gradient[kTile];
    for (int t = 0; t < kTile; ++t)
      gradient[t] = position + t < count ? dy + (position + t) * sums.channels : depthwise::kZeros;
    TapTable<kWidth, kStep, kTile> table(source, vertical, row, horizontal, position, sums.kernel_width);
    bool with_bias = sums.db != nullptr;
    for (bool more = true; more; with_bias = false) {
      more = table.fill();
      for (std::int64_t c = 0; c < whole; c += 4)
        accumulate_vector(table, sums, gradient, with_bias, c, depthwise::WholeLanes{});
      if (tail != 0) accumulate_vector(table, sums, gradient, with_bias, whole, depthwise::PartialLanes{tail});
    }
  }
}

}  // namespace

void depthwise_conv2d_bwd_weight_f32(const DepthwiseConv2dShape& shape, const float* x, const float* dy, float* dw,
                                     float* db, std::int64_t row_begin, std::int64_t row_end) {
  std::fill_n(dw, shape.taps() * shape.channels, 0.0f);
  if (db != nullptr) std::fill_n(db, shape.channels, 0.0f);
  const AxisTaps vertical = depthwise::forward_taps(shape.kernel_height, shape.stride, shape.padding, shape.dilation);
  const AxisTaps horizontal = depthwise::forward_taps(shape.kernel_width, shape.stride, shape.padding, shape.dilation);
  const std::int64_t image = shape.in_height * shape.in_width * shape.channels;
  for (std::int64_t c = 0; c < shape.channels; c += kChannelBlock) {
    const Sums sums{dw + c, db ? db + c : nullptr, shape.kernel_width, shape.channels,
                    std::min(kChannelBlock, shape.channels - c)};
    for (std::int64_t row = row_begin; row < row_end; ++row) {
      const SourceImage source{x + row / shape.out_height * image + c, shape.in_height, shape.in_width, shape.channels};
      depthwise::dispatch_width(horizontal, [&]<int kWidth, int kStep>() {
        accumulate_row<kWidth, kStep>(source, vertical, row % shape.out_height, horizontal,
                                      dy + row * shape.out_width * shape.channels + c, shape.out_width, sums);
      });
    }
  }
}

void depthwise_conv2d_bwd_weight_sum_f32(const float* partial, std::int64_t parts, std::int64_t part_stride, float* sum,
                                         std::int64_t begin, std::int64_t end) {
  std::int64_t i = begin;
  for (; i + 4 <= end; i += 4) {
    float32x4_t total = vld1q_f32(partial + i);
    for (std::int64_t p = 1; p < parts; ++p) total = vaddq_f32(total, vld1q_f32(partial + p * part_stride + i));
    vst1q_f32(sum + i, total);
  }
  for (; i < end; ++i) {
    float total = partial[i];
    for (std::int64_t p = 1; p < parts; ++p) total += partial[p * part_stride + i];
    sum[i] = total;
  }
}

}  // namespace bramble::kernels
