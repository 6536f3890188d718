#include "kernels/linear/linear_scale.h"

#include <algorithm>

#include "kernels/gemm/gemm.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

constexpr std::int64_t kBlockRows = 64;  // float sums stay short; doubles take over beyond

// Columns that a panel has, its pads included.
std::int64_t panel_width(std::int64_t cols, std::int64_t first) {
  return std::min(kGemmTileCols, round_up(cols - first, 4));
}

// Four columns of a panel that is `width` wide: dw = D * scale, sums += the column sums of W * D.
void scale_columns(std::int64_t rows, std::int64_t width, const float* weight, const float* unscaled,
                   float32x4_t scale, float* dw, double (&sums)[4]) {
  for (std::int64_t block = 0; block < rows; block += kBlockRows) {
    float32x4_t sum = vdupq_n_f32(0);
    for (std::int64_t i = block * width; i < std::min(block + kBlockRows, rows) * width; i += width) {
      const float32x4_t d = vld1q_f32(unscaled + i);
      sum = vfmaq_f32(sum, d, vld1q_f32(weight + i));
      if (dw != nullptr) vst1q_f32(dw + i, vmulq_f32(d, scale));
    }
    float lanes[4];
    vst1q_f32(lanes, sum);
    for (int j = 0; j < 4; ++j) sums[j] += lanes[j];
  }
}

}  // namespace

void linear_scale_rows_f32(std::int64_t depth, std::int64_t cols, const float* scale, float* panels) {
  for (std::int64_t col = 0; col < cols; col += kGemmTileCols) {
    const std::int64_t width = panel_width(cols, col);
    for (std::int64_t k = 0; k < depth; ++k) {
      for (std::int64_t j = 0; j < width; j += 4, panels += 4)
        vst1q_f32(panels, vmulq_n_f32(vld1q_f32(panels), scale[k]));
    }
  }
}

void linear_scale_bwd_f32(const LinearScale& layer, const float* unscaled_dw, const float* unscaled_db,
                          std::int64_t col_begin, std::int64_t col_end, float* dw, float* db, float* dscale) {
  for (std::int64_t col = col_begin; col < col_end; col += kGemmTileCols) {
    const std::int64_t width = panel_width(layer.out, col);
    for (std::int64_t j = 0; j < width && col + j < layer.out; j += 4) {
      const std::int64_t first = col + j, at = col * layer.in + j;
      const auto exist = static_cast<std::size_t>(std::min<std::int64_t>(4, layer.out - first));
      const float32x4_t scale =
          exist == 4 ? vld1q_f32(layer.scale + first) : load_partial_f32(layer.scale + first, exist);
      double sums[4] = {};
      float* const to = dw ? dw + (at - col_begin * layer.in) : nullptr;
      scale_columns(layer.in, width, layer.weight + at, unscaled_dw + at, scale, to, sums);
      for (std::int64_t o = first; o < first + static_cast<std::int64_t>(exist); ++o) {
        if (dscale != nullptr) {
          const double of_bias = layer.bias != nullptr ? static_cast<double>(layer.bias[o]) * unscaled_db[o] : 0;
          dscale[o] = static_cast<float>(sums[o - first] + of_bias);
        }
        if (db != nullptr) db[o] = unscaled_db[o] * layer.scale[o];
      }
    }
  }
}

}  // namespace bramble::kernels
