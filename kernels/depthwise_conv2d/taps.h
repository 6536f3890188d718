// Which source pixels an output pixel of a depthwise convolution gathers, and a table of pointers to them. Forward, by
// data and by weight are all "for each output pixel, sum over its taps"; they differ in how taps map to the source.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "kernels/depthwise_conv2d/depthwise_conv2d.h"

namespace bramble::kernels::depthwise {

/// Along one axis: output position q gathers, for m < count, source position
/// first_source + q * position_step + m * source_step with tap first_tap + m * tap_step. source_step > 0.
struct AxisTaps {
  std::int64_t count = 0;
  std::int64_t first_tap = 0;
  std::int64_t tap_step = 1;
  std::int64_t first_source = 0;
  std::int64_t source_step = 1;
  std::int64_t position_step = 1;
};

/// y gathers from x.
inline AxisTaps forward_taps(std::int64_t kernel, std::int64_t stride, std::int64_t padding, std::int64_t dilation) {
  return {kernel, 0, 1, -padding, dilation, stride};
}

/// dx gathers from dy, at the positions phase + q * stride, phase < stride: the taps k with
/// (phase + padding - k * dilation) divisible by stride, which are an arithmetic progression, in the source's order.
inline AxisTaps backward_taps(std::int64_t kernel, std::int64_t stride, std::int64_t padding, std::int64_t dilation,
                              std::int64_t phase) {
  const std::int64_t divisor = std::gcd(stride, dilation);
  const std::int64_t period = stride / divisor;
  std::int64_t lowest = 0;
  while (lowest < period && (phase + padding - lowest * dilation) % stride != 0) ++lowest;
  if (lowest == period || lowest >= kernel) return {};
  const std::int64_t count = (kernel - 1 - lowest) / period + 1;
  const std::int64_t highest = lowest + (count - 1) * period;
  return {count, highest, -period, (phase + padding - highest * dilation) / stride, dilation / divisor, 1};
}

/// Channels that one sweep of a tile handles: four rows of a 14-wide image stay in the L1D.
inline constexpr std::int64_t kChannelBlock = 256;
/// Where outputs lie further apart, and x comes from memory: then hardly a row is read twice, and a tile's beginning
/// counts.
inline constexpr std::int64_t kWideChannelBlock = 1024;

/// What a pixel outside the image reads, whatever the channel within its block.
alignas(64) inline constexpr float kZeros[kWideChannelBlock] = {};

/// An image that is gathered from: [height][width] pixels, `pixels` at the block's first channel.
struct SourceImage {
  const float* pixels = nullptr;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t pitch = 0;  ///< elements from pixel to pixel
  std::int64_t ring = 0;   ///< where > 0: row r lies at r % ring

  const float* row(std::int64_t r) const { return pixels + (ring > 0 ? r % ring : r) * width * pitch; }
};

/// An image's rows at channel c of a slice: in place, or in a ring of the slice's channels.
inline SourceImage source_image(const float* pixels, std::int64_t image, std::int64_t height, std::int64_t width,
                                std::int64_t pitch, std::int64_t ring, const DepthwiseSlice& slice, std::int64_t c) {
  if (ring > 0) return {pixels + (c - slice.channel_begin), height, width, slice.channels(), ring};
  return {pixels + image * height * width * pitch + c, height, width, pitch, 0};
}

/// x of an image.
inline SourceImage forward_source(const DepthwiseConv2dShape& shape, const float* x, std::int64_t image,
                                  const DepthwiseSlice& slice, std::int64_t c) {
  return source_image(x, image, shape.in_height, shape.in_width, shape.x_pitch, shape.ring, slice, c);
}

/// dy of an image.
inline SourceImage gradient_source(const DepthwiseConv2dShape& shape, const float* dy, std::int64_t image,
                                   const DepthwiseSlice& slice, std::int64_t c) {
  return source_image(dy, image, shape.out_height, shape.out_width, shape.dy_pitch, shape.gradient_ring, slice, c);
}

/// Pointers to kColumns pixels of a row, `step` apart from `column` on; zeros outside the image.
template <int kColumns>
inline void place_columns(const SourceImage& source, const float* row, std::int64_t column, std::int64_t step,
                          const float* (&columns)[kColumns]) {
  const std::int64_t distance = step * source.pitch;
  std::int64_t at = column * source.pitch;
  if (column >= 0 && column + (kColumns - 1) * step < source.width) {
    for (int j = 0; j < kColumns; ++j, at += distance) columns[j] = row + at;
  } else {
    for (int j = 0; j < kColumns; ++j, column += step, at += distance)
      columns[j] = column >= 0 && column < source.width ? row + at : kZeros;
  }
}

/// The filter, or its gradient: [taps][channels], `values` at the block's first channel.
template <class Value>
struct Filter {
  Value* values = nullptr;
  std::int64_t kernel_width = 1;
  std::int64_t channels = 0;
};

/// The filter's horizontal taps are walked in groups of kWidth that sit side by side in the source, so that one load
/// of a source pixel serves up to kWidth taps of kTile output pixels. kStep is the outputs' distance in the source.
/// kWidth = 1 with kStep = 1 serves everything else (dilation, uncommon widths): each tap is a group and its kTile
/// source pixels lie position_step apart.
template <int kWidth, int kStep, int kTile, class Value>
class TapTable {
 public:
  static constexpr int kColumns = (kTile - 1) * kStep + kWidth;
  /// Groups held at once; more are handled in several fills. Three rows of 7, or a 5x5 of single taps.
  static constexpr int kCapacity = 28;

  /// Pointers to a group's taps in the filter and to its source pixels, all at the block's first channel.
  struct Group {
    Value* taps[kWidth];
    const float* columns[kColumns];
  };

  /// For the row of outputs at vertical position `row`.
  TapTable(const SourceImage& source, const Filter<Value>& filter, const AxisTaps& vertical, std::int64_t row,
           const AxisTaps& horizontal)
      : source_(source),
        filter_(filter),
        vertical_(vertical),
        horizontal_(horizontal),
        first_row_(vertical.first_source + row * vertical.position_step),
        runs_(kWidth == 1 ? horizontal.count : 1),
        end_(vertical.count * runs_) {}

  /// Fills the table with the next groups inside the image, after the last ones with the first again.
  /// False: these were the last.
  bool fill() {
    if (holds_all_) return false;
    if (next_ == end_) next_ = 0;
    const bool from_start = next_ == 0;
    for (count_ = 0; next_ < end_ && count_ < kCapacity; ++next_) {
      const std::int64_t m = kWidth == 1 ? next_ / runs_ : next_;
      const std::int64_t run = kWidth == 1 ? next_ % runs_ : 0;
      const std::int64_t row = first_row_ + m * vertical_.source_step;
      if (row < 0 || row >= source_.height) continue;
      const std::int64_t ky = vertical_.first_tap + m * vertical_.tap_step;
      const std::int64_t kx = horizontal_.first_tap + run * horizontal_.tap_step;
      Value* tap = filter_.values + (ky * filter_.kernel_width + kx) * filter_.channels;
      for (int k = 0; k < kWidth; ++k) groups_[count_].taps[k] = tap + k * horizontal_.tap_step * filter_.channels;
      rows_[count_] = source_.row(row);
      first_columns_[count_] = horizontal_.first_source + run * horizontal_.source_step;
      ++count_;
    }
    holds_all_ = from_start && next_ == end_;
    return next_ < end_;
  }

  /// Points the groups' columns at what output pixels [position, position + kTile) gather.
  void place(std::int64_t position) {
    const std::int64_t step = kWidth == 1 ? horizontal_.position_step : 1;
    for (int g = 0; g < count_; ++g)
      place_columns<kColumns>(source_, rows_[g], first_columns_[g] + position * horizontal_.position_step, step,
                              groups_[g].columns);
  }

  int count() const { return count_; }
  const Group* groups() const { return groups_; }

 private:
  const SourceImage& source_;
  const Filter<Value>& filter_;
  const AxisTaps& vertical_;
  const AxisTaps& horizontal_;
  std::int64_t first_row_;
  std::int64_t runs_;
  std::int64_t next_ = 0;
  std::int64_t end_;
  bool holds_all_ = false;
  int count_ = 0;
  const float* rows_[kCapacity];
  std::int64_t first_columns_[kCapacity];
  Group groups_[kCapacity];
};

/// Calls run.template operator()<kWidth, kStep>() with the instance that fits the horizontal taps.
template <class Run>
void dispatch_width(const AxisTaps& horizontal, Run run) {
  if (horizontal.source_step == 1 && horizontal.position_step == 1) {
    if (horizontal.count == 2) return run.template operator()<2, 1>();
    if (horizontal.count == 3) return run.template operator()<3, 1>();
    if (horizontal.count == 4) return run.template operator()<4, 1>();
    if (horizontal.count == 5) return run.template operator()<5, 1>();
    if (horizontal.count == 7) return run.template operator()<7, 1>();
    if (horizontal.count == 9) return run.template operator()<9, 1>();
    if (horizontal.count == 11) return run.template operator()<11, 1>();
  }
  if (horizontal.source_step == 1 && horizontal.position_step == 2) {
    if (horizontal.count == 3) return run.template operator()<3, 2>();
    if (horizontal.count == 5) return run.template operator()<5, 2>();
    if (horizontal.count == 7) return run.template operator()<7, 2>();
  }
  run.template operator()<1, 1>();
}

/// Calls run.template operator()<kGroups>() with the number of a table's groups where an unrolled instance is worth it
/// (what a 3x3 has inside the image and at its border; a 5x5's pointers do not fit the registers), else with 0.
template <int kWidth, class Run>
void dispatch_groups(int groups, Run run) {
  if constexpr (kWidth <= 3) {
    if (groups == 1) return run.template operator()<1>();
    if (groups == 2) return run.template operator()<2>();
    if (groups == 3) return run.template operator()<3>();
  }
  run.template operator()<0>();
}

}  // namespace bramble::kernels::depthwise
