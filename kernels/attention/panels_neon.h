// What attention's forward and backward share: twelve queries' products with all keys, and the layout of scratch.
// Include from _neon.cc files only.
#pragma once

#include <cstdint>

#include "kernels/attention/attention.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm/pack_rows_neon.h"
#include "kernels/simd/neon.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels::attention {

/// Queries at a time: the columns of the GEMM's B panels. The last ones may be fewer, in a panel of 4 or 8.
inline constexpr std::int64_t kLanes = kGemmTileCols;

/// Hands out 64-byte aligned pieces of one buffer; of a null one, only their total.
class ScratchCursor {
 public:
  explicit ScratchCursor(float* base) : base_(base) {}

  float* take(std::int64_t floats) {
    float* piece = base_ == nullptr ? nullptr : base_ + used_;
    used_ += round_up(floats, 16);
    return piece;
  }
  std::int64_t floats() const { return used_; }

 private:
  float* base_;
  std::int64_t used_ = 0;
};

/// products[j][i] (=) sum over d of key j's and row i's values, a [keys][width] matrix with width = rows rounded up to
/// 4 (those lanes: zeros). The keys are read where they lie, row i is source's row first + i.
inline void multiply_keys(std::int64_t keys, std::int64_t dim, const MatrixRows<const float>& key_rows,
                          const MatrixRows<const float>& source, std::int64_t first, std::int64_t rows,
                          float* lane_panel, float* products) {
  const std::int64_t width = round_up(rows, 4);
  gemm_pack_b_trans_f32(dim, rows, source.row(first), source.stride, lane_panel);
  gemm_rows_f32({keys, width, dim, kGemmRowsDepth, key_rows.data, key_rows.stride, lane_panel, dim, products, width});
}

/// target row i (=) factor[i] * sum over j of lanes[j][i] * key j's values: `lanes`, [keys][width], is a B panel, and
/// column_panels are the A panels of the keys' transpose. `transposed` holds [dim, rounded up to 8][width].
inline void combine_keys(std::int64_t keys, std::int64_t dim, const float* column_panels, const float* lanes,
                         const float* factor, const MatrixRows<float>& target, std::int64_t first, std::int64_t rows,
                         float* transposed) {
  const std::int64_t width = round_up(rows, 4);
  gemm_packed_f32(round_up(dim, kGemmTileRows), width, keys, column_panels, lanes, transposed, width, false);
  for (std::int64_t lane = 0; lane < rows; lane += 4) {
    const float32x4_t scale = vld1q_f32(factor + lane);
    const std::int64_t count = rows - lane < 4 ? rows - lane : 4;
    for (std::int64_t d = 0; d < dim; d += 4) {
      const float* block = transposed + d * width + lane;
      float32x4_t out[4] = {vld1q_f32(block), vld1q_f32(block + width), vld1q_f32(block + 2 * width),
                            vld1q_f32(block + 3 * width)};
      for (float32x4_t& vector : out) vector = vmulq_f32(vector, scale);
      transpose_4x4_f32(out);
      for (std::int64_t i = 0; i < count; ++i) {
        float* row = target.row(first + lane + i) + d;
        if (d + 4 <= dim) {
          vst1q_f32(row, out[i]);
        } else {
          store_partial_f32(row, out[i], static_cast<std::size_t>(dim - d));
        }
      }
    }
  }
}

/// Calls run.template operator()<vectors>() for a panel of `rows` lanes.
template <class Run>
inline void dispatch_vectors(std::int64_t rows, Run run) {
  switch ((rows + 3) / 4) {
    case 1:
      return run.template operator()<1>();
    case 2:
      return run.template operator()<2>();
    default:
      return run.template operator()<3>();
  }
}

}  // namespace bramble::kernels::attention
