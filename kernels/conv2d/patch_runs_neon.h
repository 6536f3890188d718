// Walking the rows and columns of a patch matrix (patch_grid.h), for those who pack it. Include from _neon.cc files only.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/conv2d/patch_grid.h"
#include "kernels/gemm/pack_rows_neon.h"

namespace bramble::kernels::patches {

inline constexpr std::int64_t kRows = kGemmTileRows;
// Below this many channels a tap is too short to pay for finding its pixel (a first layer's 3): a kernel row's taps are
// then taken as one run, they lie side by side. The longest such run, so that its border copy fits the stack.
inline constexpr std::int64_t kFewChannels = 16;
inline constexpr std::int64_t kLongestMergedRun = 256;

// Row m of P: the source position of its tap (0, 0), and that position's offset (which may lie outside the image).
struct GridRow {
  std::int64_t y = 0;
  std::int64_t x = 0;
  std::int64_t offset = 0;
};

// Walks m upwards without dividing.
class GridCursor {
 public:
  GridCursor(const PatchGrid& grid, std::int64_t m)
      : grid_(grid),
        x_(m % grid.x.extent),
        y_(m / grid.x.extent % grid.y.extent),
        n_(m / grid.x.extent / grid.y.extent) {}

  GridRow row() const {
    const std::int64_t y = y_ * grid_.y.step + grid_.y.first;
    const std::int64_t x = x_ * grid_.x.step + grid_.x.first;
    return {y, x, ((n_ * grid_.y.source + y) * grid_.x.source + x) * grid_.pixel_stride};
  }
  /// Positions left in the current grid row.
  std::int64_t left() const { return grid_.x.extent - x_; }
  std::int64_t x() const { return x_; }
  /// At most left().
  void advance(std::int64_t count) {
    x_ += count;
    if (x_ < grid_.x.extent) return;
    x_ = 0;
    if (++y_ < grid_.y.extent) return;
    y_ = 0;
    ++n_;
  }

 private:
  const PatchGrid& grid_;
  std::int64_t x_, y_, n_;
};

// A row's columns fall into runs that are contiguous in the source: a tap's channels, or a kernel row's taps.
class Runs {
 public:
  explicit Runs(const PatchGrid& grid)
      : grid_(grid),
        taps_(grid.channels < kFewChannels && grid.x.delta == 1 && grid.pixel_stride == grid.channels &&
                      grid.x.taps * grid.channels <= kLongestMergedRun
                  ? grid.x.taps
                  : 1),
        length_(taps_ * grid.channels),
        y_reach_(grid.y),
        x_reach_(grid.x) {}

  std::int64_t length() const { return length_; }

  /// A run's first tap: how far from tap (0, 0).
  struct Tap {
    std::int64_t dy, dx, offset;
  };
  Tap tap(std::int64_t index) const {
    const std::int64_t in_kernel_row = grid_.x.taps / taps_;
    return at(index / in_kernel_row * grid_.y.delta, index % in_kernel_row * taps_ * grid_.x.delta);
  }
  Tap next(const Tap& tap) const {
    const std::int64_t dx = tap.dx + taps_ * grid_.x.delta;
    return dx == grid_.x.taps * grid_.x.delta ? at(tap.dy + grid_.y.delta, 0) : at(tap.dy, dx);
  }

  bool merged() const { return taps_ > 1; }
  /// Whether all of a row's patch lies inside the image, so that each run is source[row.offset + tap.offset + i].
  bool inside(const GridRow& row) const { return y_reach_.holds(row.y) & x_reach_.holds(row.x); }
  /// Whether a run of one tap lies inside the image.
  bool reads(const GridRow& row, const Tap& tap) const {
    const auto below = [](std::int64_t i, std::int64_t n) {
      return static_cast<std::uint64_t>(i) < static_cast<std::uint64_t>(n);
    };
    return below(row.y + tap.dy, grid_.y.source) & below(row.x + tap.dx, grid_.x.source);
  }

  /// A row's values of a run: [valid_begin, valid_end) are source[offset + i], the others zero.
  struct Span {
    std::int64_t offset, valid_begin, valid_end;
  };
  Span span(const GridRow& row, const Tap& tap) const {
    const std::int64_t y = row.y + tap.dy;
    const std::int64_t x = row.x + tap.dx;
    if (y < 0 || y >= grid_.y.source) return {0, 0, 0};
    const std::int64_t first = std::max<std::int64_t>(0, -x);
    const std::int64_t last = std::min(taps_, grid_.x.source - x);
    if (first >= last) return {0, 0, 0};
    return {row.offset + tap.offset, first * grid_.channels, last * grid_.channels};
  }

 private:
  Tap at(std::int64_t dy, std::int64_t dx) const { return {dy, dx, (dy * grid_.x.source + dx) * grid_.pixel_stride}; }

  // The source positions from which all taps of an axis lie inside.
  struct Reach {
    explicit Reach(const PatchAxis& axis) : first(std::max<std::int64_t>(0, -(axis.taps - 1) * axis.delta)) {
      const std::int64_t span = (axis.taps - 1) * (axis.delta < 0 ? -axis.delta : axis.delta);
      count = static_cast<std::uint64_t>(std::max<std::int64_t>(0, axis.source - span));
    }
    bool holds(std::int64_t at) const { return static_cast<std::uint64_t>(at - first) < count; }

    std::int64_t first;
    std::uint64_t count;
  };

  const PatchGrid& grid_;
  std::int64_t taps_;
  std::int64_t length_;
  Reach y_reach_, x_reach_;
};

// to[i - begin] = the run's value i, for i in [begin, end).
inline void copy_span(const Runs::Span& span, const float* source, std::int64_t begin, std::int64_t end, float* to) {
  if (span.valid_begin <= begin && end <= span.valid_end) {
    return copy_run_f32(source + (span.offset + begin), end - begin, to);
  }
  const std::int64_t valid_begin = std::clamp(span.valid_begin, begin, end);
  const std::int64_t valid_end = std::clamp(span.valid_end, valid_begin, end);
  std::fill(to, to + (valid_begin - begin), 0.0f);
  if (valid_begin < valid_end) {
    copy_run_f32(source + (span.offset + valid_begin), valid_end - valid_begin, to + (valid_begin - begin));
  }
  std::fill(to + (valid_end - begin), to + (end - begin), 0.0f);
}

// Where the run's values [begin, end) can be read: the source, zeros, or a copy in `buffer` at an image's border.
inline const float* whole_span(const Runs::Span& span, const float* source, std::int64_t begin, std::int64_t end,
                               float* buffer) {
  if (span.valid_begin <= begin && end <= span.valid_end) return source + (span.offset + begin);
  if (span.valid_end <= begin || end <= span.valid_begin) return zero_row;
  copy_span(span, source, begin, end, buffer);
  return buffer;
}

// Calls piece(tap, begin, end, position): columns [k_begin, k_end) cut into pieces of runs, none longer than kZeroRow.
template <class Piece>
inline void for_each_piece(const Runs& runs, std::int64_t k_begin, std::int64_t k_end, Piece piece) {
  if (k_begin >= k_end) return;
  Runs::Tap tap = runs.tap(k_begin / runs.length());
  std::int64_t begin = k_begin % runs.length();
  for (std::int64_t k = k_begin; k < k_end;) {
    const std::int64_t end = std::min({runs.length(), begin + (k_end - k), begin + kZeroRow});
    piece(tap, begin, end, k - k_begin);
    k += end - begin;
    begin = end;
    if (begin == runs.length()) begin = 0, tap = runs.next(tap);
  }
}

}  // namespace bramble::kernels::patches
