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
        length_(taps_ * grid.channels) {}

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

  const PatchGrid& grid_;
  std::int64_t taps_;
  std::int64_t length_;
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

// Whether P is the source itself: one tap that reads every pixel in turn.
bool is_plain(const PatchGrid& grid) {
  const auto plain = [](const PatchAxis& axis) {
    return axis.taps == 1 && axis.step == 1 && axis.first == 0 && axis.extent == axis.source;
  };
  return plain(grid.y) && plain(grid.x);
}

}  // namespace

void pack_patches_f32(const PatchGrid& grid, const float* source, std::int64_t row_begin, std::int64_t row_end,
                      std::int64_t k_begin, std::int64_t k_end, float* panels) {
  if (is_plain(grid)) {
    return gemm_pack_a_f32(row_end - row_begin, k_end - k_begin, source + row_begin * grid.pixel_stride + k_begin,
                           grid.pixel_stride, panels);
  }
  const Runs runs(grid);
  GridCursor cursor(grid, row_begin);
  float border[kRows][kLongestMergedRun];
  for (std::int64_t m = row_begin; m < row_end; m += kRows, panels += kRows * (k_end - k_begin)) {
    const std::int64_t valid = std::min(kRows, row_end - m);
    GridRow rows[kRows];
    std::fill_n(rows, kRows, GridRow{.y = -(std::int64_t{1} << 40)});  // outside whatever the tap
    for (std::int64_t i = 0; i < valid; ++i, cursor.advance(1)) rows[i] = cursor.row();
    const auto pack = [&](const Runs::Tap& tap, std::int64_t begin, std::int64_t end, std::int64_t at) {
      const float* from[kRows];
      if (!runs.merged()) {
        for (std::int64_t i = 0; i < kRows; ++i) {
          from[i] = runs.reads(rows[i], tap) ? source + (rows[i].offset + tap.offset + begin) : zero_row;
        }
      } else {
        for (std::int64_t i = 0; i < kRows; ++i) {
          from[i] = whole_span(runs.span(rows[i], tap), source, begin, end, border[i]);
        }
      }
      interleave_rows_f32<2>(from, end - begin, panels + at * kRows);
    };
    for_each_piece(runs, k_begin, k_end, pack);
  }
}

namespace {

// Pixels that one turn deals to all panels: their lines stay in L1 however unlucky the stride between them is.
constexpr std::int64_t kPixelBlock = 32;

// The positions of one grid row that a tap reads inside the source row: [begin, end) of [0, count), from `first` on.
struct Inside {
  std::int64_t begin, end;

  Inside(const PatchAxis& axis, std::int64_t delta, std::int64_t first, std::int64_t count) {
    const std::int64_t at = axis.first + delta;
    const std::int64_t from = at < 0 ? (-at + axis.step - 1) / axis.step : 0;
    const std::int64_t to = at < axis.source ? (axis.source - at + axis.step - 1) / axis.step : 0;
    begin = std::clamp<std::int64_t>(from - first, 0, count);
    end = std::clamp<std::int64_t>(to - first, begin, count);
  }
};

// Eight channels of `count` neighbouring positions: zeros, copies, zeros.
inline void copy_channels(const float* from, std::int64_t stride, const Inside& inside, std::int64_t count, float* to) {
  std::fill_n(to, inside.begin * kRows, 0.0f);
  for (std::int64_t i = inside.begin; i < inside.end; ++i, from += stride) {
    vst1q_f32(to + i * kRows, vld1q_f32(from));
    vst1q_f32(to + i * kRows + 4, vld1q_f32(from + 4));
  }
  std::fill_n(to + inside.end * kRows, (count - inside.end) * kRows, 0.0f);
}

// Panels whose eight columns are channels of one tap.
void pack_channels(const PatchGrid& grid, const float* source, std::int64_t k_begin, std::int64_t k_end,
                   std::int64_t row_begin, std::int64_t row_end, float* panels) {
  const std::int64_t panel_size = kRows * (row_end - row_begin);
  const std::int64_t stride = grid.x.step * grid.pixel_stride;
  GridCursor cursor(grid, row_begin);
  for (std::int64_t m = row_begin; m < row_end;) {
    const std::int64_t count = std::min({cursor.left(), row_end - m, kPixelBlock});
    const GridRow row = cursor.row();
    float* panel = panels + (m - row_begin) * kRows;
    for (std::int64_t k = k_begin; k < k_end;) {
      const std::int64_t tap = k / grid.channels;
      const std::int64_t dy = tap / grid.x.taps * grid.y.delta;
      const std::int64_t dx = tap % grid.x.taps * grid.x.delta;
      const std::int64_t y = row.y + dy;
      const bool reached = y >= 0 && y < grid.y.source;
      const Inside inside(grid.x, dx, cursor.x(), reached ? count : 0);
      const std::int64_t first =
          row.offset + (dy * grid.x.source + dx) * grid.pixel_stride + inside.begin * stride;
      const std::int64_t tap_end = std::min((tap + 1) * grid.channels, k_end);
      for (; k < tap_end; k += kRows, panel += panel_size) {
        const float* from = inside.begin < inside.end ? source + (first + k - tap * grid.channels) : source;
        copy_channels(from, stride, inside, count, panel);
      }
    }
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
      for_each_piece(runs, k, end, [&](const Runs::Tap& tap, std::int64_t first, std::int64_t last, std::int64_t at) {
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
  pack_channels(grid, source, k_begin, k_end, row_begin, row_end, panels);
}

}  // namespace bramble::kernels
