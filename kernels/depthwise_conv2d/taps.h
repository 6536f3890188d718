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

/// What a pixel outside the image reads, whatever the channel within its block.
alignas(64) inline constexpr float kZeros[kChannelBlock] = {};

/// An image that is gathered from: dense [height][width][channels], `pixels` at the block's first channel.
struct SourceImage {
  const float* pixels = nullptr;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
};

/// The weights' horizontal taps are walked in groups of kWidth that sit side by side in the source, so that one load
/// of a source pixel serves up to kWidth taps of kTile output pixels. kStep is the outputs' distance in the source.
/// kWidth = 1 with kStep = 1 serves everything else (dilation, uncommon widths): each tap is a group and its kTile
/// source pixels lie position_step apart.
template <int kWidth, int kStep, int kTile>
class TapTable {
 public:
  static constexpr int kColumns = (kTile - 1) * kStep + kWidth;
  /// Groups held at once; more are handled in several fills. Three rows of 7, or a 5x5 of single taps.
  static constexpr int kCapacity = 28;

  /// For output pixels [position, position + kTile) of the row at vertical position `row`.
  TapTable(const SourceImage& source, const AxisTaps& vertical, std::int64_t row, const AxisTaps& horizontal,
           std::int64_t position, std::int64_t kernel_width)
      : source_(source), vertical_(vertical), horizontal_(horizontal), kernel_width_(kernel_width),
        row_(vertical.first_source + row * vertical.position_step),
        column_(horizontal.first_source + position * horizontal.position_step),
        runs_(kWidth == 1 ? horizontal.count : 1), next_(0), end_(vertical.count * runs_) {}

  /// Fills the table with the next groups inside the image. False: these were the last.
  bool fill() {
    groups_ = 0;
    for (; next_ < end_ && groups_ < kCapacity; ++next_) {
      const std::int64_t m = next_ / runs_;
      const std::int64_t row = row_ + m * vertical_.source_step;
      if (row < 0 || row >= source_.height) continue;
      const std::int64_t run = next_ % runs_;
      const std::int64_t ky = vertical_.first_tap + m * vertical_.tap_step;
      const std::int64_t kx = horizontal_.first_tap + run * horizontal_.tap_step;
      first_tap_[groups_] = ky * kernel_width_ + kx;
      fill_columns(source_.pixels + row * source_.width * source_.channels,
                   column_ + run * horizontal_.source_step, &columns_[groups_ * kColumns]);
      ++groups_;
    }
    return next_ < end_;
  }

  int groups() const { return groups_; }
  /// Pointers to the kColumns source pixels of a group.
  const float* const* columns(int group) const { return &columns_[group * kColumns]; }
  /// Index of a group's first tap in the weights; the others follow at distance tap_step().
  std::int64_t first_tap(int group) const { return first_tap_[group]; }
  std::int64_t tap_step() const { return horizontal_.tap_step; }

 private:
  void fill_columns(const float* row, std::int64_t column, const float** columns) const {
    const std::int64_t pitch = kWidth == 1 ? horizontal_.position_step : 1;
    const std::int64_t stride = pitch * source_.channels;
    if (column >= 0 && column + (kColumns - 1) * pitch < source_.width) {
      const float* pixel = row + column * source_.channels;
      for (int j = 0; j < kColumns; ++j) columns[j] = pixel + j * stride;
      return;
    }
    for (int j = 0; j < kColumns; ++j, column += pitch)
      columns[j] = column >= 0 && column < source_.width ? row + column * source_.channels : kZeros;
  }

  SourceImage source_;
  AxisTaps vertical_;
  AxisTaps horizontal_;
  std::int64_t kernel_width_;
  std::int64_t row_;
  std::int64_t column_;
  std::int64_t runs_;
  std::int64_t next_;
  std::int64_t end_;
  int groups_ = 0;
  std::int64_t first_tap_[kCapacity];
  const float* columns_[kCapacity * kColumns];
};

/// Calls run.template operator()<kWidth, kStep>() with the instance that fits the horizontal taps.
template <class Run>
void dispatch_width(const AxisTaps& horizontal, Run run) {
  if (horizontal.source_step == 1 && horizontal.position_step == 1) {
    if (horizontal.count == 2) return run.template operator()<2, 1>();
    if (horizontal.count == 3) return run.template operator()<3, 1>();
    if (horizontal.count == 5) return run.template operator()<5, 1>();
    if (horizontal.count == 7) return run.template operator()<7, 1>();
  }
  if (horizontal.source_step == 1 && horizontal.position_step == 2) {
    if (horizontal.count == 3) return run.template operator()<3, 2>();
    if (horizontal.count == 5) return run.template operator()<5, 2>();
  }
  run.template operator()<1, 1>();
}

}  // namespace bramble::kernels::depthwise
