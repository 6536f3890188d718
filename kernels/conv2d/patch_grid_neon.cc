#include "kernels/conv2d/patch_grid.h"

#include <algorithm>

#include "kernels/gemm/pack_rows_neon.h"

namespace bramble::kernels {
namespace {

constexpr std::int64_t kRows = kGemmTileRows;
// Below this many channels a tap is too short to pay for finding its pixel (a first layer's 3): a kernel row's taps are
// then taken as one run, they lie side by side. The longest such run, so that its border copy fits the stack.
constexpr std::int64_t kFewChannels = 16;
constexpr std::int64_t kLongestMergedRun = 256;

// Row m of P: its image, and the source position of tap (0, 0).
struct GridRow {
  std::int64_t image = 0;  // offset of the image's first pixel
  std::int64_t y = 0;
  std::int64_t x = 0;
};

// Walks m upwards without dividing.
class GridCursor {
 public:
  GridCursor(const PatchGrid& grid, std::int64_t m)
      : grid_(grid), x_(m % grid.x.extent), y_(m / grid.x.extent % grid.y.extent), n_(m / grid.x.extent / grid.y.extent) {}

  GridRow row() const {
    return {n_ * grid_.y.source * grid_.x.source * grid_.pixel_stride, y_ * grid_.y.step + grid_.y.first,
            x_ * grid_.x.step + grid_.x.first};
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
        per_kernel_row_(grid.x.taps / taps_) {}

  std::int64_t length() const { return length_; }

  /// Run `index` of a row: values [valid_begin, valid_end) are source[offset + i], the others zero.
  struct Span {
    std::int64_t offset, valid_begin, valid_end;
  };
  struct Tap {
    std::int64_t dy, dx;
  };
  Tap tap(std::int64_t index) const {
    return {index / per_kernel_row_ * grid_.y.delta, index % per_kernel_row_ * taps_ * grid_.x.delta};
  }
  Span span(const GridRow& row, Tap tap) const {
    const std::int64_t y = row.y + tap.dy;
    const std::int64_t x = row.x + tap.dx;
    if (y < 0 || y >= grid_.y.source) return {0, 0, 0};
    const std::int64_t first = std::max<std::int64_t>(0, -x);
    const std::int64_t last = std::min(taps_, grid_.x.source - x);
    if (first >= last) return {0, 0, 0};
    return {row.image + (y * grid_.x.source + x) * grid_.pixel_stride, first * grid_.channels, last * grid_.channels};
  }

 private:
  const PatchGrid& grid_;
  std::int64_t taps_;
  std::int64_t length_;
  std::int64_t per_kernel_row_;
};

// to[i - begin] = the run's value i, for i in [begin, end).
inline void copy_span(const Runs::Span& span, const float* source, std::int64_t begin, std::int64_t end, float* to) {
  const std::int64_t valid_begin = std::clamp(span.valid_begin, begin, end);
  const std::int64_t valid_end = std::clamp(span.valid_end, valid_begin, end);
  std::fill(to, to + (valid_begin - begin), 0.0f);
  if (valid_begin < valid_end) {
    copy_run_f32(source + (span.offset + valid_begin), valid_end - valid_begin, to + (valid_begin - begin));
  }
  std::fill(to + (valid_end - begin), to + (end - begin), 0.0f);
}

// Calls piece(tap, begin, end, position): columns [k_begin, k_end) cut into pieces of runs, none longer than kZeroRow.
template <class Piece>
inline void for_each_piece(const Runs& runs, std::int64_t k_begin, std::int64_t k_end, Piece piece) {
  std::int64_t index = k_begin / runs.length();
  std::int64_t begin = k_begin % runs.length();
  for (std::int64_t k = k_begin; k < k_end;) {
    const std::int64_t end = std::min({runs.length(), begin + (k_end - k), begin + kZeroRow});
    piece(runs.tap(index), begin, end, k - k_begin);
    k += end - begin;
    begin = end;
    if (begin == runs.length()) begin = 0, ++index;
  }
}

}  // namespace

void pack_patches_f32(const PatchGrid& grid, const float* source, std::int64_t row_begin, std::int64_t row_end,
                      std::int64_t k_begin, std::int64_t k_end, float* panels) {
  const Runs runs(grid);
  GridCursor cursor(grid, row_begin);
  float border[kRows][kLongestMergedRun];
  for (std::int64_t m = row_begin; m < row_end; m += kRows, panels += kRows * (k_end - k_begin)) {
    const std::int64_t valid = std::min(kRows, row_end - m);
    GridRow rows[kRows];
    for (std::int64_t i = 0; i < valid; ++i, cursor.advance(1)) rows[i] = cursor.row();
    for_each_piece(runs, k_begin, k_end, [&](Runs::Tap tap, std::int64_t begin, std::int64_t end, std::int64_t at) {
      const float* from[kRows];
      for (std::int64_t i = 0; i < kRows; ++i) {
        const Runs::Span span = i < valid ? runs.span(rows[i], tap) : Runs::Span{0, 0, 0};
        if (span.valid_begin <= begin && end <= span.valid_end) {
          from[i] = source + (span.offset + begin);
        } else if (span.valid_end <= begin || end <= span.valid_begin) {
          from[i] = zero_row;
        } else {
          copy_span(span, source, begin, end, border[i]);
          from[i] = border[i];
        }
      }
      interleave_rows_f32<2>(from, end - begin, panels + at * kRows);
    });
  }
}

namespace {

// One panel whose eight columns are channels of one tap: per grid row zeros, copies, zeros.
void pack_channel_panel(const PatchGrid& grid, const float* source, std::int64_t k, std::int64_t row_begin,
                        std::int64_t row_end, float* panel) {
  const std::int64_t tap = k / grid.channels;
  const std::int64_t dy = tap / grid.x.taps * grid.y.delta;
  const std::int64_t dx = grid.x.first + tap % grid.x.taps * grid.x.delta;
  const std::int64_t step = grid.x.step * grid.pixel_stride;
  // Grid positions [inside_begin, inside_end) read inside the source row.
  const std::int64_t inside_begin = dx < 0 ? (-dx + grid.x.step - 1) / grid.x.step : 0;
  const std::int64_t inside_end = dx < grid.x.source ? (grid.x.source - dx + grid.x.step - 1) / grid.x.step : 0;
  source += k % grid.channels;
  GridCursor cursor(grid, row_begin);
  for (std::int64_t m = row_begin; m < row_end;) {
    const std::int64_t count = std::min(cursor.left(), row_end - m);
    const GridRow row = cursor.row();
    const std::int64_t y = row.y + dy;
    const bool inside = y >= 0 && y < grid.y.source;
    const std::int64_t begin = inside ? std::clamp<std::int64_t>(inside_begin - cursor.x(), 0, count) : count;
    const std::int64_t end = std::clamp<std::int64_t>(inside_end - cursor.x(), begin, count);
    std::fill_n(panel, begin * kRows, 0.0f);
    if (begin < end) {
      const std::int64_t x = (cursor.x() + begin) * grid.x.step + dx;
      const float* from = source + row.image + (y * grid.x.source + x) * grid.pixel_stride;
      for (std::int64_t i = begin; i < end; ++i, from += step) {
        vst1q_f32(panel + i * kRows, vld1q_f32(from));
        vst1q_f32(panel + i * kRows + 4, vld1q_f32(from + 4));
      }
    }
    std::fill_n(panel + end * kRows, (count - end) * kRows, 0.0f);
    panel += count * kRows;
    m += count;
    cursor.advance(count);
  }
}

// Any columns: each row of P is gathered into a buffer, then dealt out to the panels.
void pack_gathered(const PatchGrid& grid, const float* source, std::int64_t k_begin, std::int64_t k_end,
                   std::int64_t row_begin, std::int64_t row_end, float* panels) {
  constexpr std::int64_t kBuffer = 128;
  const Runs runs(grid);
  const std::int64_t panel_size = kRows * (row_end - row_begin);
  for (std::int64_t k = k_begin; k < k_end; k += kBuffer) {
    float buffer[kBuffer] = {};
    const std::int64_t end = std::min(k + kBuffer, k_end);
    GridCursor cursor(grid, row_begin);
    for (std::int64_t m = row_begin; m < row_end; ++m, cursor.advance(1)) {
      const GridRow row = cursor.row();
      for_each_piece(runs, k, end, [&](Runs::Tap tap, std::int64_t first, std::int64_t last, std::int64_t at) {
        copy_span(runs.span(row, tap), source, first, last, buffer + at);
      });
      float* to = panels + (k - k_begin) / kRows * panel_size + (m - row_begin) * kRows;
      for (std::int64_t i = 0; i < end - k; i += kRows, to += panel_size) {
        vst1q_f32(to, vld1q_f32(buffer + i));
        vst1q_f32(to + 4, vld1q_f32(buffer + i + 4));
      }
    }
  }
}

}  // namespace

void pack_patches_trans_f32(const PatchGrid& grid, const float* source, std::int64_t k_begin, std::int64_t k_end,
                            std::int64_t row_begin, std::int64_t row_end, float* panels) {
  if (grid.channels % kRows != 0 || k_begin % kRows != 0 || k_end % kRows != 0) {
    return pack_gathered(grid, source, k_begin, k_end, row_begin, row_end, panels);
  }
  for (std::int64_t k = k_begin; k < k_end; k += kRows, panels += kRows * (row_end - row_begin)) {
    pack_channel_panel(grid, source, k, row_begin, row_end, panels);
  }
}

}  // namespace bramble::kernels
