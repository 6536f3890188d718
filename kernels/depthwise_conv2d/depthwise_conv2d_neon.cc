// Forward and by-data: a tile of output pixels of one row gathers its taps, four channels at a time, with the pixels'
// sums in registers. Pixels outside the image are read from a block of zeros, so borders cost no more than the rest.
#include <algorithm>
#include <cstddef>
#include <limits>

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
using Filter = depthwise::Filter<const float>;

/// Output pixels of a tile: with the kernel's row of weights and a source pixel 19 registers at most, and the widths
/// of the usual networks (7 to 112) are multiples of it.
constexpr int kTile = 7;

/// What happens to the sums once they are complete.
struct Finish {
  const float* bias = nullptr;  ///< at the block's first channel, or null
  float minimum = -std::numeric_limits<float>::infinity();
  float maximum = std::numeric_limits<float>::infinity();

  bool needed() const {
    return bias != nullptr || minimum > -std::numeric_limits<float>::infinity() ||
           maximum < std::numeric_limits<float>::infinity();
  }
};

/// A row of outputs, or every so-manyth pixel of one.
struct OutputRow {
  float* pixels = nullptr;
  const float* addend = nullptr;  ///< added to the complete sums; or null
  std::int64_t pixel_step = 0;    ///< elements between computed pixels
  std::int64_t addend_step = 0;   ///< the same of the addend
  std::int64_t count = 0;
  std::int64_t block = 0;  ///< channels to compute
};

/// sum[t] += the group's taps times its source pixels; `first`: sum[t] = for a tap that nothing precedes.
template <int kWidth, int kStep, int kPixels, class Group, class Lanes>
inline __attribute__((always_inline)) void gather_group(float32x4_t (&sum)[kPixels], const Group& group, bool first,
                                                        std::int64_t c, Lanes lanes) {
  float32x4_t weight[kWidth];
#pragma GCC unroll 16
  for (int k = 0; k < kWidth; ++k) weight[k] = lanes.load(group.taps[k] + c);
#pragma GCC unroll 32
  for (int j = 0; j < (kPixels - 1) * kStep + kWidth; ++j) {
    const float32x4_t pixel = lanes.load(group.columns[j] + c);
#pragma GCC unroll 8
    for (int t = 0; t < kPixels; ++t) {
      const int k = j - t * kStep;
      if (k < 0 || k >= kWidth) continue;
      sum[t] = first && k == 0 ? vmulq_f32(pixel, weight[k]) : vfmaq_f32(sum[t], pixel, weight[k]);
    }
  }
}

/// out (=) the sums of kPixels pixels over all of kGroups groups; with kGroups = 0 over `count`, and added to what is
/// in out if `accumulate`. For the four channels from c on, or the last ones. `finish` and `addend` (always, unless
/// kAdds) are null where sums stay as they are.
template <int kGroups, int kWidth, int kStep, int kPixels, bool kAdds, class Group, class Lanes>
inline __attribute__((always_inline)) void gather_vector(const Group* groups, int count, bool accumulate,
                                                         const Finish* finish, const float* addend,
                                                         std::int64_t addend_step, float* out, std::int64_t out_step,
                                                         std::int64_t c, Lanes lanes) {
  float32x4_t sum[kPixels];
  if constexpr (kGroups == 0) {
#pragma GCC unroll 8
    for (int t = 0; t < kPixels; ++t) sum[t] = accumulate ? lanes.load(out + t * out_step + c) : vdupq_n_f32(0);
    for (int g = 0; g < count; ++g) gather_group<kWidth, kStep, kPixels>(sum, groups[g], false, c, lanes);
  } else {
#pragma GCC unroll 8
    for (int g = 0; g < kGroups; ++g) gather_group<kWidth, kStep, kPixels>(sum, groups[g], g == 0, c, lanes);
  }
  if (finish != nullptr) {
    const float32x4_t bias = finish->bias ? lanes.load(finish->bias + c) : vdupq_n_f32(0);
    const float32x4_t minimum = vdupq_n_f32(finish->minimum);
    const float32x4_t maximum = vdupq_n_f32(finish->maximum);
#pragma GCC unroll 8
    for (int t = 0; t < kPixels; ++t) sum[t] = vminq_f32(vmaxq_f32(vaddq_f32(sum[t], bias), minimum), maximum);
  }
  if (kAdds && addend != nullptr) {
#pragma GCC unroll 8
    for (int t = 0; t < kPixels; ++t) sum[t] = vaddq_f32(sum[t], lanes.load(addend + t * addend_step + c));
  }
#pragma GCC unroll 8
  for (int t = 0; t < kPixels; ++t) lanes.store(out + t * out_step + c, sum[t]);
}

template <bool kAdds, int kWidth, int kStep, int kPixels>
inline __attribute__((always_inline)) void gather_tile(TapTable<kWidth, kStep, kPixels, const float>& table,
                                                       std::int64_t position, const Finish* finish,
                                                       const OutputRow& out) {
  float* pixels = out.pixels + position * out.pixel_step;
  const float* addend = kAdds ? out.addend + position * out.addend_step : nullptr;
  bool more = table.fill();
  table.place(position);
  depthwise::dispatch_groups<kWidth>(more ? 0 : table.count(), [&]<int kGroups>() {
    depthwise::for_each_vector(out.block, [&](std::int64_t c, auto lanes) {
      gather_vector<kGroups, kWidth, kStep, kPixels, kAdds>(table.groups(), table.count(), false,
                                                            more ? nullptr : finish, more ? nullptr : addend,
                                                            out.addend_step, pixels, out.pixel_step, c, lanes);
    });
  });
  while (more) {  // kernels with more groups than the table holds: the next ones add to what is there
    more = table.fill();
    table.place(position);
    depthwise::for_each_vector(out.block, [&](std::int64_t c, auto lanes) {
      gather_vector<0, kWidth, kStep, kPixels, kAdds>(table.groups(), table.count(), true, more ? nullptr : finish,
                                                      more ? nullptr : addend, out.addend_step, pixels, out.pixel_step,
                                                      c, lanes);
    });
  }
}

template <int kWidth, int kStep, bool kAdds>
void gather_row(const SourceImage& source, const Filter& filter, const AxisTaps& vertical, std::int64_t row,
                const AxisTaps& horizontal, const Finish* finish, const OutputRow& out) {
  if (out.count >= kTile) {
    // The last tile ends with the row: pixels that it shares with its neighbour are computed twice, to the same bits.
    TapTable<kWidth, kStep, kTile, const float> table(source, filter, vertical, row, horizontal);
    for (std::int64_t position = 0; position < out.count; position += kTile)
      gather_tile<kAdds>(table, std::min(position, out.count - kTile), finish, out);
  } else {
    TapTable<kWidth, kStep, 1, const float> table(source, filter, vertical, row, horizontal);
    for (std::int64_t position = 0; position < out.count; ++position) gather_tile<kAdds>(table, position, finish, out);
  }
}

}  // namespace

void depthwise_conv2d_fwd_f32(const DepthwiseConv2dShape& shape, const float* x, const float* weight, const float* bias,
                              float minimum, float maximum, float* y, const DepthwiseSlice& slice) {
  const AxisTaps vertical =
      depthwise::forward_taps(shape.kernel_height, shape.stride, shape.padding_height, shape.dilation);
  const AxisTaps horizontal =
      depthwise::forward_taps(shape.kernel_width, shape.stride, shape.padding_width, shape.dilation);
  for (std::int64_t c = slice.channel_begin; c < slice.channel_end; c += kChannelBlock) {
    const Filter filter{weight + c, shape.kernel_width, shape.channels};
    const Finish finish{bias ? bias + c : nullptr, minimum, maximum};
    const std::int64_t block = std::min(kChannelBlock, slice.channel_end - c);
    for (std::int64_t row = slice.row_begin; row < slice.row_end; ++row) {
      const SourceImage source = depthwise::forward_source(shape, x, row, slice, c);
      const OutputRow out{
          y + row * shape.out_width * shape.channels + c, nullptr, shape.channels, 0, shape.out_width, block};
      depthwise::dispatch_width(horizontal, [&]<int kWidth, int kStep>() {
        gather_row<kWidth, kStep, false>(source, filter, vertical, row % shape.out_height, horizontal,
                                         finish.needed() ? &finish : nullptr, out);
      });
    }
  }
}

void depthwise_conv2d_bwd_data_f32(const DepthwiseConv2dShape& shape, const float* dy, const float* weight,
                                   const float* addend, float* dx, const DepthwiseSlice& slice) {
  for (std::int64_t c = slice.channel_begin; c < slice.channel_end; c += kChannelBlock) {
    const Filter filter{weight + c, shape.kernel_width, shape.channels};
    const std::int64_t block = std::min(kChannelBlock, slice.channel_end - c);
    for (std::int64_t row = slice.row_begin; row < slice.row_end; ++row) {
      const std::int64_t iy = row % shape.in_height;
      const AxisTaps vertical = depthwise::backward_taps(shape.kernel_height, shape.stride, shape.padding_height,
                                                         shape.dilation, iy % shape.stride);
      const SourceImage source = depthwise::gradient_source(shape, dy, row / shape.in_height, slice, c);
      // Pixels of one phase see the same taps: with stride 2, the even and the odd ones.
      for (std::int64_t phase = 0; phase < std::min(shape.stride, shape.in_width); ++phase) {
        const AxisTaps horizontal =
            depthwise::backward_taps(shape.kernel_width, shape.stride, shape.padding_width, shape.dilation, phase);
        const std::int64_t first = row * shape.in_width + phase;
        const OutputRow out{dx + first * shape.channels + c,
                            addend ? addend + first * shape.addend_pitch + c : nullptr,
                            shape.stride * shape.channels,
                            shape.stride * shape.addend_pitch,
                            (shape.in_width - phase + shape.stride - 1) / shape.stride,
                            block};
        depthwise::dispatch_width(horizontal, [&]<int kWidth, int kStep>() {
          if (addend != nullptr)
            gather_row<kWidth, kStep, true>(source, filter, vertical, iy / shape.stride, horizontal, nullptr, out);
          else
            gather_row<kWidth, kStep, false>(source, filter, vertical, iy / shape.stride, horizontal, nullptr, out);
        });
      }
    }
  }
}

}  // namespace bramble::kernels
