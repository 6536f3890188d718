#include <algorithm>

#include "kernels/gemm/gemm.h"
#include "kernels/gemm/pack_rows_neon.h"

namespace bramble::kernels {
namespace {

// One panel of 4 * Quads lanes, lane i the row source + i * row_stride; lanes from `lanes` on are zeros.
template <int Quads>
void pack_panel(std::int64_t lanes, std::int64_t depth, const float* source, std::int64_t row_stride, float* panel) {
  constexpr int kWidth = 4 * Quads;
  for (std::int64_t k = 0; k < depth; k += kZeroRow) {
    const float* rows[kWidth];
    for (int i = 0; i < kWidth; ++i) rows[i] = i < lanes ? source + i * row_stride + k : zero_row;
    interleave_rows_f32<Quads>(rows, std::min(kZeroRow, depth - k), panel + k * kWidth);
  }
}

// One panel whose lanes lie side by side in the source: copies.
template <int Quads>
void copy_panel(std::int64_t lanes, std::int64_t depth, const float* source, std::int64_t depth_stride, float* panel) {
  constexpr int kWidth = 4 * Quads;
  for (std::int64_t k = 0; k < depth; ++k, source += depth_stride, panel += kWidth) {
    if (lanes >= kWidth) {
#pragma GCC unroll 3
      for (int q = 0; q < Quads; ++q) vst1q_f32(panel + 4 * q, vld1q_f32(source + 4 * q));
    } else {
      for (std::int64_t i = 0; i < kWidth; ++i) panel[i] = i < lanes ? source[i] : 0.0f;
    }
  }
}

// Copies take so many rows to all panels at a time: panels' borders split cache lines, and a line is then still in L1.
constexpr std::int64_t kCopyRows = 16;

// sums[0, count) += the panel's columns.
template <int Quads>
void sum_panel(std::int64_t depth, const float* panel, std::int64_t count, float* sums) {
  float32x4_t total[Quads];
#pragma GCC unroll 3
  for (int q = 0; q < Quads; ++q) total[q] = vdupq_n_f32(0);
  for (std::int64_t k = 0; k < depth; ++k, panel += 4 * Quads) {
#pragma GCC unroll 3
    for (int q = 0; q < Quads; ++q) total[q] = vaddq_f32(total[q], vld1q_f32(panel + 4 * q));
  }
  float values[4 * Quads];
  for (int q = 0; q < Quads; ++q) vst1q_f32(values + 4 * q, total[q]);
  for (std::int64_t j = 0; j < count; ++j) sums[j] += values[j];
}

}  // namespace

void gemm_pack_a_f32(std::int64_t rows, std::int64_t depth, const float* source, std::int64_t row_stride,
                     float* panels) {
  for (std::int64_t i = 0; i < rows; i += kGemmTileRows) {
    pack_panel<2>(rows - i, depth, source + i * row_stride, row_stride, panels + i * depth);
  }
}

void gemm_pack_a_trans_f32(std::int64_t rows, std::int64_t depth, const float* source, std::int64_t depth_stride,
                           float* panels) {
  for (std::int64_t k = 0; k < depth; k += kCopyRows, source += kCopyRows * depth_stride) {
    const std::int64_t count = std::min(kCopyRows, depth - k);
    for (std::int64_t i = 0; i < rows; i += kGemmTileRows) {
      copy_panel<2>(rows - i, count, source + i, depth_stride, panels + i * depth + k * kGemmTileRows);
    }
  }
}

void gemm_pack_b_f32(std::int64_t depth, std::int64_t cols, const float* source, std::int64_t row_stride,
                     float* panels) {
  for (std::int64_t k = 0; k < depth; k += kCopyRows, source += kCopyRows * row_stride) {
    const std::int64_t count = std::min(kCopyRows, depth - k);
    for (std::int64_t j = 0; j < cols; j += kGemmTileCols) {
      const std::int64_t lanes = cols - j;
      const std::int64_t width = std::min(kGemmTileCols, round_up(lanes, 4));
      float* panel = panels + j * depth + k * width;
      switch (width / 4) {
        case 1:
          copy_panel<1>(lanes, count, source + j, row_stride, panel);
          break;
        case 2:
          copy_panel<2>(lanes, count, source + j, row_stride, panel);
          break;
        default:
          copy_panel<3>(lanes, count, source + j, row_stride, panel);
          break;
      }
    }
  }
}

void gemm_pack_b_trans_f32(std::int64_t depth, std::int64_t cols, const float* source, std::int64_t col_stride,
                           float* panels) {
  for (std::int64_t j = 0; j < cols; j += kGemmTileCols) {
    const std::int64_t lanes = cols - j;
    const float* first = source + j * col_stride;
    float* panel = panels + j * depth;
    switch (std::min(kGemmTileCols, round_up(lanes, 4)) / 4) {
      case 1:
        pack_panel<1>(lanes, depth, first, col_stride, panel);
        break;
      case 2:
        pack_panel<2>(lanes, depth, first, col_stride, panel);
        break;
      default:
        pack_panel<3>(lanes, depth, first, col_stride, panel);
        break;
    }
  }
}

void gemm_panel_sums_f32(std::int64_t depth, std::int64_t cols, const float* panels, float* sums, bool accumulate) {
  if (!accumulate) std::fill_n(sums, cols, 0.0f);
  for (std::int64_t j = 0; j < cols; j += kGemmTileCols) {
    const std::int64_t lanes = std::min(kGemmTileCols, cols - j);
    switch (round_up(lanes, 4) / 4) {
      case 1:
        sum_panel<1>(depth, panels + j * depth, lanes, sums + j);
        break;
      case 2:
        sum_panel<2>(depth, panels + j * depth, lanes, sums + j);
        break;
      default:
        sum_panel<3>(depth, panels + j * depth, lanes, sums + j);
        break;
    }
  }
}

void gemm_column_sums_f32(std::int64_t rows, std::int64_t cols, const float* source, std::int64_t row_stride,
                          float* sums, bool accumulate) {
  std::int64_t j = 0;
  // Two rows a turn: their sums hide the addition's latency.
  for (; j + 4 <= cols; j += 4) {
    float32x4_t even = accumulate ? vld1q_f32(sums + j) : vdupq_n_f32(0);
    float32x4_t odd = vdupq_n_f32(0);
    std::int64_t i = 0;
    for (; i + 2 <= rows; i += 2) {
      even = vaddq_f32(even, vld1q_f32(source + i * row_stride + j));
      odd = vaddq_f32(odd, vld1q_f32(source + (i + 1) * row_stride + j));
    }
    if (i < rows) even = vaddq_f32(even, vld1q_f32(source + i * row_stride + j));
    vst1q_f32(sums + j, vaddq_f32(even, odd));
  }
  for (; j < cols; ++j) {
    float sum = accumulate ? sums[j] : 0.0f;
    for (std::int64_t i = 0; i < rows; ++i) sum += source[i * row_stride + j];
    sums[j] = sum;
  }
}

}  // namespace bramble::kernels
