// What attention's forward and backward share: eight queries' products with all keys, and the layout of scratch.
#pragma once

#include <cstdint>

#include "kernels/gemm/gemm.h"

namespace bramble::kernels::attention {

/// Queries at a time: the rows of the GEMM's A panels.
inline constexpr std::int64_t kLanes = kGemmTileRows;

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

/// products[j][i] (=) sum over d of key j's and row i's values, for all keys (rounded up to 8: zeros) and `rows` <= 8
/// rows (the other lanes: zeros). key_panels are the A panels of the keys; the rows' own A panel, [dim][8], has the
/// form of a B panel of eight columns, which is what it is used as.
inline void score_panel(std::int64_t keys, std::int64_t dim, const float* key_panels, const float* first_row,
                        std::int64_t row_stride, std::int64_t rows, float* row_panel, float* products) {
  gemm_pack_a_f32(rows, dim, first_row, row_stride, row_panel);
  gemm_packed_f32(round_up(keys, kGemmTileRows), kLanes, dim, key_panels, row_panel, products, kLanes, false);
}

}  // namespace bramble::kernels::attention
