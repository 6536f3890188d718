#include <algorithm>

#include "kernels/conv2d/patch_grid.h"
#include "kernels/conv2d/patch_runs_neon.h"

namespace bramble::kernels {
namespace {

using namespace patches;

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
    bool inside = valid == kRows;
    for (std::int64_t i = 0; i < valid; ++i, cursor.advance(1)) {
      rows[i] = cursor.row();
      inside &= runs.inside(rows[i]);
    }
    const auto pack = [&](const Runs::Tap& tap, std::int64_t begin, std::int64_t end, std::int64_t at) {
      const float* from[kRows];
      if (inside) {
        for (std::int64_t i = 0; i < kRows; ++i) from[i] = source + (rows[i].offset + tap.offset + begin);
      } else if (!runs.merged()) {
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

}  // namespace bramble::kernels
