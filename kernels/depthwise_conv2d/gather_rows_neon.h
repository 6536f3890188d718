// Forward's and by-data's gathering: a tile of output pixels of a row, or of two, gathers its taps, four channels at a
// time, with the pixels' sums in registers. Include from _neon.cc files only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "kernels/depthwise_conv2d/lanes_neon.h"
#include "kernels/depthwise_conv2d/row_pairs_neon.h"
#include "kernels/depthwise_conv2d/taps.h"
#include "kernels/simd/neon.h"

namespace bramble::kernels::depthwise {

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

/// Rows of outputs, or every so-manyth row and pixel.
struct OutputRows {
  float* pixels = nullptr;
  const float* addend = nullptr;  ///< added to the complete sums; or null
  std::int64_t pixel_step = 0;    ///< elements between computed pixels
  std::int64_t addend_step = 0;   ///< the same of the addend
  std::int64_t row_step = 0;      ///< elements between computed rows
  std::int64_t addend_row_step = 0;
  std::int64_t count = 0;  ///< pixels of a row
  std::int64_t block = 0;  ///< channels to compute

  OutputRows row(std::int64_t r) const {
    OutputRows one = *this;
    one.pixels += r * row_step;
    if (addend != nullptr) one.addend += r * addend_row_step;
    return one;
  }
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

/// out (=) complete sums, bounded and with the addend. `finish` and `addend` (always, unless kAdds) are null where sums
/// stay as they are.
template <bool kAdds, int kPixels, class Lanes>
inline __attribute__((always_inline)) void write_pixels(float32x4_t (&sum)[kPixels], const Finish* finish,
                                                        const float* addend, std::int64_t addend_step, float* out,
                                                        std::int64_t out_step, std::int64_t c, Lanes lanes) {
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

/// out (=) the sums of kPixels pixels over all of kGroups groups; with kGroups = 0 over `count`, and added to what is
/// in out if `accumulate`. For the four channels from c on, or the last ones.
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
  write_pixels<kAdds>(sum, finish, addend, addend_step, out, out_step, c, lanes);
}

template <bool kAdds, int kWidth, int kStep, int kPixels>
inline __attribute__((always_inline)) void gather_tile(TapTable<kWidth, kStep, kPixels, const float>& table,
                                                       std::int64_t position, const Finish* finish,
                                                       const OutputRows& out) {
  float* pixels = out.pixels + position * out.pixel_step;
  const float* addend = kAdds ? out.addend + position * out.addend_step : nullptr;
  bool more = table.fill();
  table.place(position);
  dispatch_groups<kWidth>(more ? 0 : table.count(), [&]<int kGroups>() {
    for_each_vector(out.block, [&](std::int64_t c, auto lanes) {
      gather_vector<kGroups, kWidth, kStep, kPixels, kAdds>(table.groups(), table.count(), false,
                                                            more ? nullptr : finish, more ? nullptr : addend,
                                                            out.addend_step, pixels, out.pixel_step, c, lanes);
    });
  });
  while (more) {  // kernels with more groups than the table holds: the next ones add to what is there
    more = table.fill();
    table.place(position);
    for_each_vector(out.block, [&](std::int64_t c, auto lanes) {
      gather_vector<0, kWidth, kStep, kPixels, kAdds>(table.groups(), table.count(), true, more ? nullptr : finish,
                                                      more ? nullptr : addend, out.addend_step, pixels, out.pixel_step,
                                                      c, lanes);
    });
  }
}

template <int kWidth, int kStep, bool kAdds>
void gather_row(const SourceImage& source, const Filter<const float>& filter, const AxisTaps& vertical,
                std::int64_t row, const AxisTaps& horizontal, const Finish* finish, const OutputRows& out) {
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

/// Rows `row` and row + 1 of outputs, of channels that are whole vectors. kAdds, which is the backward's, takes no
/// `finish`.
template <int kWidth, bool kAdds>
void gather_row_pair(const SourceImage& source, const Filter<const float>& filter, const AxisTaps& vertical,
                     std::int64_t row, const AxisTaps& horizontal, const Finish* finish, const OutputRows& out) {
  RowPairTable<kWidth, kTile> table(source, filter, vertical, row, horizontal);
  for (std::int64_t position = 0; position < out.count; position += kTile) {
    const std::int64_t first = std::min(position, out.count - kTile);
    table.place(first);
    const auto gather = [&]<bool kWhole, bool kFinish>() {
      for (std::int64_t c = 0; c < out.block; c += 4) {
        float32x4_t sums[2][kTile];
        gather_pair<kWhole>(table, sums[0], sums[1], c);
#pragma GCC unroll 2
        for (int r = 0; r < 2; ++r)
          write_pixels<kAdds>(sums[r], kFinish ? finish : nullptr,
                              kAdds ? out.addend + r * out.addend_row_step + first * out.addend_step : nullptr,
                              out.addend_step, out.pixels + r * out.row_step + first * out.pixel_step, out.pixel_step,
                              c, WholeLanes{});
      }
    };
    const auto finish_or_not = [&]<bool kWhole>() {
      if constexpr (!kAdds) {
        if (finish != nullptr) return gather.template operator()<kWhole, true>();
      }
      gather.template operator()<kWhole, false>();
    };
    // Of a 3x3 a loop over its rows would be mostly overhead.
    if (kWidth == 3 && table.whole()) finish_or_not.template operator()<kWidth == 3>();
    else finish_or_not.template operator()<false>();
  }
}

/// `rows` rows of outputs from `row` on.
template <bool kAdds>
void gather_rows(const SourceImage& source, const Filter<const float>& filter, const AxisTaps& vertical,
                 std::int64_t row, const AxisTaps& horizontal, const Finish* finish, const OutputRows& out,
                 std::int64_t rows) {
  dispatch_width(horizontal, [&]<int kWidth, int kStep>() {
    std::int64_t r = 0;
    if constexpr (kStep == 1 && (kWidth == 3 || kWidth == 5 || kWidth == 7)) {
      if (RowPairTable<kWidth, kTile>::fits(vertical, horizontal) && out.count >= kTile && out.block % 4 == 0)
        for (; r + 2 <= rows; r += 2)
          gather_row_pair<kWidth, kAdds>(source, filter, vertical, row + r, horizontal, finish, out.row(r));
    }
    for (; r < rows; ++r)
      gather_row<kWidth, kStep, kAdds>(source, filter, vertical, row + r, horizontal, finish, out.row(r));
  });
}

}  // namespace bramble::kernels::depthwise
