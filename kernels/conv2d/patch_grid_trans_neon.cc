#include <algorithm>

#include "kernels/conv2d/patch_grid.h"
#include "kernels/conv2d/patch_runs_neon.h"

namespace bramble::kernels {
namespace {

using namespace patches;

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
      const std::int64_t first = row.offset + (dy * grid.x.source + dx) * grid.pixel_stride + inside.begin * stride;
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

// Some neighbouring columns of one run, of `count` neighbouring positions of a grid row.
struct Columns {
  Runs::Tap tap;            // the run's first
  std::int64_t begin, end;  // in the run
  std::int64_t count;
};

// N columns of each position from `from` on; `stride` elements are between two positions.
template <int N>
inline void copy_columns(const float* from, std::int64_t stride, std::int64_t count, float* to) {
  for (std::int64_t i = 0; i < count; ++i, from += stride, to += kRows) {
    if constexpr (N >= 4) vst1q_f32(to, vld1q_f32(from));
    if constexpr (N == 8) vst1q_f32(to + 4, vld1q_f32(from + 4));
    if constexpr (N % 4 >= 2) vst1_f32(to + N / 4 * 4, vld1_f32(from + N / 4 * 4));
    if constexpr (N % 2 == 1) to[N - 1] = from[N - 1];
  }
}

inline void copy_columns(const float* from, std::int64_t stride, std::int64_t columns, std::int64_t count, float* to) {
  static constexpr void (*kCopies[])(const float*, std::int64_t, std::int64_t, float*) = {
      copy_columns<1>, copy_columns<2>, copy_columns<3>, copy_columns<4>,
      copy_columns<5>, copy_columns<6>, copy_columns<7>, copy_columns<8>};
  kCopies[columns - 1](from, stride, count, to);
}

inline void clear_columns(std::int64_t columns, std::int64_t count, float* to) {
  for (std::int64_t i = 0; i < count; ++i) std::fill_n(to + i * kRows, columns, 0.0f);
}

// Where all of the columns lie inside the image they are copied, elsewhere one after the other.
void pack_columns(const PatchGrid& grid, const float* source, const GridRow& row, std::int64_t x,
                  const Columns& columns, float* to) {
  const std::int64_t width = columns.end - columns.begin, y = row.y + columns.tap.dy;
  if (y < 0 || y >= grid.y.source) return clear_columns(width, columns.count, to);
  const auto inside = [&](std::int64_t column) {
    return Inside(grid.x, columns.tap.dx + column / grid.channels * grid.x.delta, x, columns.count);
  };
  const Inside first = inside(columns.begin), last = inside(columns.end - 1);
  const std::int64_t begin = std::min(std::max(first.begin, last.begin), columns.count);
  const std::int64_t end = std::max(std::min(first.end, last.end), begin);
  const std::int64_t stride = grid.x.step * grid.pixel_stride;
  const float* from = source + row.offset + columns.tap.offset + columns.begin;
  const auto pack_border = [&](std::int64_t i) {
    for (std::int64_t c = 0; c < width; ++c) {
      const Inside it = inside(columns.begin + c);
      to[i * kRows + c] = i >= it.begin && i < it.end ? from[i * stride + c] : 0.0f;
    }
  };
  for (std::int64_t i = 0; i < begin; ++i) pack_border(i);
  if (begin < end) copy_columns(from + begin * stride, stride, width, end - begin, to + begin * kRows);
  for (std::int64_t i = end; i < columns.count; ++i) pack_border(i);
}

// Any columns: a panel's eight may be of several runs.
void pack_runs(const PatchGrid& grid, const float* source, std::int64_t k_begin, std::int64_t k_end,
               std::int64_t row_begin, std::int64_t row_end, float* panels) {
  const Runs runs(grid);
  const std::int64_t panel_size = kRows * (row_end - row_begin);
  GridCursor cursor(grid, row_begin);
  for (std::int64_t m = row_begin; m < row_end;) {
    const std::int64_t count = std::min({cursor.left(), row_end - m, kPixelBlock});
    const GridRow row = cursor.row();
    float* panel = panels + (m - row_begin) * kRows;
    Columns columns{runs.tap(k_begin / runs.length()), k_begin % runs.length(), 0, count};
    for (std::int64_t k = k_begin; k < k_end; panel += panel_size) {
      std::int64_t at = 0;
      for (const std::int64_t most = std::min(kRows, k_end - k); at < most;) {
        columns.end = std::min(runs.length(), columns.begin + most - at);
        pack_columns(grid, source, row, cursor.x(), columns, panel + at);
        at += columns.end - columns.begin;
        columns.begin = columns.end;
        if (columns.begin == runs.length()) columns.begin = 0, columns.tap = runs.next(columns.tap);
      }
      k += at;
      clear_columns(kRows - at, count, panel + at);
    }
    m += count;
    cursor.advance(count);
  }
}

}  // namespace

void pack_patches_trans_f32(const PatchGrid& grid, const float* source, std::int64_t k_begin, std::int64_t k_end,
                            std::int64_t row_begin, std::int64_t row_end, float* panels) {
  if (grid.channels % kRows != 0 || k_begin % kRows != 0 || k_end % kRows != 0) {
    return pack_runs(grid, source, k_begin, k_end, row_begin, row_end, panels);
  }
  pack_channels(grid, source, k_begin, k_end, row_begin, row_end, panels);
}

}  // namespace bramble::kernels
