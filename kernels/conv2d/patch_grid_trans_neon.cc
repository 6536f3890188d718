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
      const bool inside = runs.inside(row);
      for_each_piece(runs, k, end, [&](const Runs::Tap& tap, std::int64_t first, std::int64_t last, std::int64_t at) {
        if (inside) return copy_run_f32(source + (row.offset + tap.offset + first), last - first, buffer + at);
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
