#include <algorithm>

#include "kernels/conv2d/conv2d_grids.h"
#include "kernels/gemm/transpose_tile_neon.h"

namespace bramble::kernels {
namespace {

// Panels of one matrix, as packed_weight.h lays them.
struct Panels {
  std::int64_t depth = 0;
  std::int64_t cols = 0;

  std::int64_t width(std::int64_t first) const { return std::min(kGemmTileCols, round_up(cols - first, 4)); }
};

}  // namespace

void conv2d_pack_bwd_data_weight_terms_f32(const Conv2dShape& shape, const float* weight, std::int64_t group,
                                           std::int64_t phase, const TermRange& terms, std::int64_t col_begin,
                                           std::int64_t col_end, float* panels) {
  const BwdDataPhase p = conv2d_bwd_data_phase(shape, phase);
  const Panels from{shape.depth(), shape.out_per_group()};
  const Panels to{terms.end - terms.begin, shape.in_per_group()};
  weight += group * packed_weight_elements(from.depth, from.cols);
  for (std::int64_t col = col_begin; col < col_end; col += kGemmTileCols) {
    const std::int64_t width = to.width(col);
    float* row = panels + (col - col_begin) * to.depth;
    std::int64_t outs = 0;
    for (std::int64_t term = terms.begin; term < terms.end; term += outs) {
      const std::int64_t tap = term / from.cols, o = term % from.cols, first = o / kGemmTileCols * kGemmTileCols;
      outs = std::min({first + kGemmTileCols - o, from.cols - o, terms.end - term});
      const std::int64_t ky = p.y.first_kernel + tap / p.x.axis.taps * p.y.kernel_step;
      const std::int64_t kx = p.x.first_kernel + tap % p.x.axis.taps * p.x.kernel_step;
      const std::int64_t k = (ky * shape.kernel_width + kx) * shape.in_per_group() + col;
      const float* tile = weight + first * from.depth + k * from.width(first) + o - first;
      transpose_tile_f32(tile, from.width(first), std::min(kGemmTileCols, to.cols - col), outs, row, width);
      row += outs * width;
    }
  }
}

void conv2d_pack_bwd_data_weight_f32(const Conv2dShape& shape, const float* weight, std::int64_t group,
                                     std::int64_t phase, std::int64_t col_begin, std::int64_t col_end, float* packed) {
  const std::int64_t depth = conv2d_bwd_data_depth(shape, phase);
  conv2d_pack_bwd_data_weight_terms_f32(
      shape, weight, group, phase, {0, depth}, col_begin, col_end,
      packed + conv2d_bwd_data_weight_offset(shape, group, phase) + col_begin * depth);
}

void sum_parts_f32(const float* parts, std::int64_t count, std::int64_t stride, std::int64_t begin, std::int64_t end,
                   float* sum) {
  std::int64_t i = begin;
  for (; i + 8 <= end; i += 8) {
    float32x4_t low = vld1q_f32(parts + i);
    float32x4_t high = vld1q_f32(parts + i + 4);
    for (std::int64_t p = 1; p < count; ++p) {
      low = vaddq_f32(low, vld1q_f32(parts + p * stride + i));
      high = vaddq_f32(high, vld1q_f32(parts + p * stride + i + 4));
    }
    vst1q_f32(sum + i, low);
    vst1q_f32(sum + i + 4, high);
  }
  for (; i < end; ++i) {
    float value = parts[i];
    for (std::int64_t p = 1; p < count; ++p) value += parts[p * stride + i];
    sum[i] = value;
  }
}

}  // namespace bramble::kernels
