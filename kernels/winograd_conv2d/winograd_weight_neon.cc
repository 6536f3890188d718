// A weight to its points and a gradient's points back to the weight: element by element, four at a time.
#include <algorithm>

#include "kernels/gemm/transpose_tile_neon.h"
#include "kernels/winograd_conv2d/winograd_matrices_neon.h"
#include "kernels/winograd_conv2d/winograd_weight.h"

namespace bramble::kernels {
namespace {

constexpr std::int64_t kTaps = 9;

std::int64_t panel_width(std::int64_t col, std::int64_t cols) {
  return std::min(kGemmTileCols, round_up(cols - col, 4));
}

// For `count` elements, a multiple of 4: points = G g G^T, the taps of g (in reverse order if `Turned`) and the points
// each lying at a stride of their own.
template <class W, bool Turned>
void transform(const float* g, std::int64_t tap_stride, std::int64_t count, float* points, std::int64_t point_stride) {
  for (std::int64_t i = 0; i < count; i += 4) {
    float32x4_t rows[W::kSide][3];
    BRAMBLE_UNROLL
    for (int x = 0; x < 3; ++x) {
      float32x4_t column[3], u[W::kSide];
      BRAMBLE_UNROLL
      for (int y = 0; y < 3; ++y) column[y] = vld1q_f32(g + (Turned ? 8 - 3 * y - x : 3 * y + x) * tap_stride + i);
      W::weight_line(column, u);
      BRAMBLE_UNROLL
      for (int y = 0; y < W::kSide; ++y) rows[y][x] = u[y];
    }
    float* to = points + i;
    BRAMBLE_UNROLL
    for (int y = 0; y < W::kSide; ++y) {
      float32x4_t u[W::kSide];
      W::weight_line(rows[y], u);
      BRAMBLE_UNROLL
      for (int x = 0; x < W::kSide; ++x, to += point_stride) vst1q_f32(to, u[x]);
    }
  }
}

// g = G^T points G.
template <class W>
void transform_gradient(const float* points, std::int64_t point_stride, std::int64_t count, float* g,
                        std::int64_t tap_stride) {
  for (std::int64_t i = 0; i < count; i += 4) {
    float32x4_t columns[3][W::kSide];
    BRAMBLE_UNROLL
    for (int x = 0; x < W::kSide; ++x) {
      float32x4_t u[W::kSide], column[3];
      BRAMBLE_UNROLL
      for (int y = 0; y < W::kSide; ++y) u[y] = vld1q_f32(points + (y * W::kSide + x) * point_stride + i);
      W::weight_gradient_line(u, column);
      BRAMBLE_UNROLL
      for (int y = 0; y < 3; ++y) columns[y][x] = column[y];
    }
    BRAMBLE_UNROLL
    for (int y = 0; y < 3; ++y) {
      float32x4_t taps[3];
      W::weight_gradient_line(columns[y], taps);
      BRAMBLE_UNROLL
      for (int x = 0; x < 3; ++x) vst1q_f32(g + (3 * y + x) * tap_stride + i, taps[x]);
    }
  }
}

template <class W>
void fwd_weight(const WinogradConv2d& conv, const float* weight, std::int64_t col_begin, std::int64_t col_end,
                float* transformed) {
  const std::int64_t depth = conv.source.channels;
  for (std::int64_t col = col_begin; col < col_end; col += kGemmTileCols) {
    const std::int64_t elements = depth * panel_width(col, conv.result.channels);
    transform<W, false>(weight + col * kTaps * depth, elements, elements, transformed + col * depth,
                        conv.weight_stride());
  }
}

// One panel of 12 output channels against one of 12 input channels at a time: taps and transposed taps stay in L1.
template <class W>
void bwd_data_weight(const WinogradConv2d& conv, const float* weight, std::int64_t col_begin, std::int64_t col_end,
                     float* transformed) {
  const std::int64_t depth = conv.source.channels, cols = conv.result.channels;
  float taps[kTaps * kGemmTileCols * kGemmTileCols];
  for (std::int64_t col = col_begin; col < col_end; col += kGemmTileCols) {
    const std::int64_t width = panel_width(col, cols);
    for (std::int64_t o = 0; o < depth; o += kGemmTileCols) {
      const std::int64_t from_width = panel_width(o, depth), os = std::min(kGemmTileCols, depth - o);
      const std::int64_t elements = os * width;
      for (std::int64_t tap = 0; tap < kTaps; ++tap) {
        transpose_tile_f32(weight + o * kTaps * cols + (tap * cols + col) * from_width, from_width,
                           std::min(kGemmTileCols, cols - col), os, taps + tap * elements, width);
      }
      transform<W, true>(taps, elements, elements, transformed + col * depth + o * width, conv.weight_stride());
    }
  }
}

}  // namespace

void winograd_fwd_weight_f32(const WinogradConv2d& conv, const float* weight, std::int64_t col_begin,
                             std::int64_t col_end, float* transformed) {
  with_winograd(conv.tile, [&](auto w) { fwd_weight<decltype(w)>(conv, weight, col_begin, col_end, transformed); });
}

void winograd_bwd_data_weight_f32(const WinogradConv2d& conv, const float* weight, std::int64_t col_begin,
                                  std::int64_t col_end, float* transformed) {
  with_winograd(conv.tile,
                [&](auto w) { bwd_data_weight<decltype(w)>(conv, weight, col_begin, col_end, transformed); });
}

void winograd_weight_gradient_f32(WinogradTile tile, const float* points, std::int64_t point_stride, std::int64_t count,
                                  float* dw, std::int64_t tap_stride) {
  with_winograd(tile, [&](auto w) { transform_gradient<decltype(w)>(points, point_stride, count, dw, tap_stride); });
}

}  // namespace bramble::kernels
