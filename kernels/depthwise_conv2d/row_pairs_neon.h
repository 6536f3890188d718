// Two rows of outputs at once: a source pixel that is loaded serves both, and their fourteen sums are chains enough to
// hide what an FMA takes. For square filters of 3, 5 or 7 whose outputs are one source pixel apart, either way, and for
// channels that are whole vectors. Each output's sum is the same, in the same order, as a row by itself makes. Include
// from _neon.cc files only.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/depthwise_conv2d/taps.h"
#include "kernels/gemm/tile_neon.h"
#include "kernels/simd/neon.h"

namespace bramble::kernels::depthwise {

/// Pointers to the taps and the source pixels of a tile of two rows: row q gathers source rows m = 0 to kWidth - 1
/// from its first one on, with tap m; row q + 1 gathers m = 1 to kWidth, with tap m - 1.
template <int kWidth, int kTile>
class RowPairTable {
 public:
  static constexpr int kColumns = kTile - 1 + kWidth;

  static bool fits(const AxisTaps& vertical, const AxisTaps& horizontal) {
    return horizontal.count == kWidth && horizontal.source_step == 1 && horizontal.position_step == 1 &&
           vertical.count == kWidth && vertical.source_step == 1 && vertical.position_step == 1;
  }

  RowPairTable(const SourceImage& source, const Filter<const float>& filter, const AxisTaps& vertical, std::int64_t row,
               const AxisTaps& horizontal)
      : source_(source), first_column_(horizontal.first_source) {
    const std::int64_t first_row = vertical.first_source + row;
    for (int m = 0; m < kWidth; ++m)
      for (int k = 0; k < kWidth; ++k) {
        const std::int64_t ky = vertical.first_tap + m * vertical.tap_step;
        const std::int64_t kx = horizontal.first_tap + k * horizontal.tap_step;
        taps_[m][k] = filter.values + (ky * filter.kernel_width + kx) * filter.channels;
      }
    begin_ = static_cast<int>(std::clamp<std::int64_t>(-first_row, 0, kWidth + 1));
    end_ = static_cast<int>(std::clamp<std::int64_t>(source.height - first_row, begin_, kWidth + 1));
    for (int m = begin_; m < end_; ++m) rows_[m] = source.row(first_row + m);
  }

  /// Points to what output pixels [position, position + kTile) gather.
  void place(std::int64_t position) {
    for (int m = begin_; m < end_; ++m)
      place_columns<kColumns>(source_, rows_[m], first_column_ + position, 1, columns_[m]);
  }

  /// The source rows inside the image: m = begin() to end() - 1.
  int begin() const { return begin_; }
  int end() const { return end_; }
  /// All that row q + 1 or row q alone gathers, and every row between.
  bool whole() const { return begin_ == 0 && end_ == kWidth + 1; }

  const float* const* taps(int m) const { return taps_[m]; }
  const float* const* columns(int m) const { return columns_[m]; }

 private:
  const SourceImage& source_;
  std::int64_t first_column_;
  int begin_ = 0, end_ = 0;
  const float* rows_[kWidth + 1];
  const float* taps_[kWidth][kWidth];
  const float* columns_[kWidth + 1][kColumns];
};

// As inline assembly, and with gemm::end_step() between pixels, GCC keeps the sums where they are: else it would copy them
// from register to register, or load all pixels first.
inline __attribute__((always_inline)) float32x4_t add_product(float32x4_t sum, float32x4_t a, float32x4_t b) {
#ifdef __aarch64__
  asm("fmla %0.4s, %1.4s, %2.4s" : "+w"(sum) : "w"(a), "w"(b));
  return sum;
#else
  return vfmaq_f32(sum, a, b);
#endif
}

/// upper[t] += what tap m of source row m adds to row q, lower[t] what tap m - 1 adds to row q + 1.
template <bool kUpper, bool kLower, int kWidth, int kTile>
inline __attribute__((always_inline)) void gather_pair_row(const RowPairTable<kWidth, kTile>& table, int m,
                                                           float32x4_t (&upper)[kTile], float32x4_t (&lower)[kTile],
                                                           std::int64_t c) {
  float32x4_t upper_tap[kWidth], lower_tap[kWidth];
#pragma GCC unroll 8
  for (int k = 0; k < kWidth; ++k) {
    if (kUpper) upper_tap[k] = vld1q_f32(table.taps(m)[k] + c);
    if (kLower) lower_tap[k] = vld1q_f32(table.taps(m - 1)[k] + c);
  }
#pragma GCC unroll 16
  for (int j = 0; j < kTile - 1 + kWidth; ++j) {
    const float32x4_t pixel = vld1q_f32(table.columns(m)[j] + c);
    gemm::end_step();
#pragma GCC unroll 8
    for (int t = 0; t < kTile; ++t) {
      const int k = j - t;
      if (k < 0 || k >= kWidth) continue;
      if (kUpper) upper[t] = add_product(upper[t], pixel, upper_tap[k]);
      if (kLower) lower[t] = add_product(lower[t], pixel, lower_tap[k]);
    }
  }
}

/// The sums of the four channels from c on. kWhole: the table is, and its rows are no loop.
template <bool kWhole, int kWidth, int kTile>
inline __attribute__((always_inline)) void gather_pair(const RowPairTable<kWidth, kTile>& table,
                                                       float32x4_t (&upper)[kTile], float32x4_t (&lower)[kTile],
                                                       std::int64_t c) {
#pragma GCC unroll 8
  for (int t = 0; t < kTile; ++t) upper[t] = lower[t] = vdupq_n_f32(0);
  if constexpr (kWhole) {
    gather_pair_row<true, false>(table, 0, upper, lower, c);
#pragma GCC unroll 8
    for (int m = 1; m < kWidth; ++m) gather_pair_row<true, true>(table, m, upper, lower, c);
    gather_pair_row<false, true>(table, kWidth, upper, lower, c);
  } else {
    int m = table.begin();
    if (m == 0 && m < table.end()) gather_pair_row<true, false>(table, m++, upper, lower, c);
    for (; m < std::min(table.end(), kWidth); ++m) gather_pair_row<true, true>(table, m, upper, lower, c);
    if (m == kWidth && m < table.end()) gather_pair_row<false, true>(table, m, upper, lower, c);
  }
}

}  // namespace bramble::kernels::depthwise
