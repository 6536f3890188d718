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

/// products row j, columns [0, rows rounded up to 4) (=) sum over d of key j's and source row first + i's values (those
/// that do not exist: zeros). The keys are read where they lie.
inline void multiply_keys(std::int64_t keys, std::int64_t dim, const MatrixRows<const float>& key_rows,
                          const MatrixRows<const float>& source, std::int64_t first, std::int64_t rows,
                          float* lane_panel, const MatrixRows<float>& products) {
  gemm_pack_b_trans_f32(dim, rows, source.row(first), source.stride, lane_panel);
  GemmRows product;
  product.rows = keys;
  product.cols = round_up(rows, 4);
  product.depth = dim;
  product.depth_step = kGemmRowsDepth;
  product.a = key_rows.data;
  product.a_stride = key_rows.stride;
  product.b = lane_panel;
  product.b_depth = dim;
  product.c = products.data;
  product.c_stride = products.stride;
  gemm_rows_f32(product);
}

/// The transpose of [keys][dim] as the GEMM's A: where the rows lie if it can read them there, or else in panels.
struct KeyColumns {
  const float* data;
  std::int64_t step;  ///< of GemmBlock; 0: panels

  KeyColumns(std::int64_t keys, std::int64_t dim, const MatrixRows<const float>& rows, float* panels)
      : data(rows.data), step(rows.stride) {
    if (dim % kGemmTileRows == 0 && gemm_spreads_over_l1(rows.stride)) return;
    gemm_pack_a_trans_f32(dim, keys, rows.data, rows.stride, panels);
    data = panels;
    step = 0;
  }
};

/// target row i (=) factor[i] * sum over j of lanes[j][i] * key j's values: `lanes`, [keys][rows rounded up to 4], is
/// the GEMM's B where it lies. `transposed` holds [dim, rounded up to 8][12].
inline void combine_keys(std::int64_t keys, std::int64_t dim, const KeyColumns& columns, const MatrixRows<float>& lanes,
                         const float* factor, const MatrixRows<float>& target, std::int64_t first, std::int64_t rows,
                         float* transposed) {
  const std::int64_t width = round_up(rows, 4);
  GemmBlock block;
  block.rows = round_up(dim, kGemmTileRows);
  block.cols = width;
  block.depth = keys;
  block.a = columns.data;
  block.a_step = columns.step;
  block.b = lanes.data;
  block.b_step = lanes.stride;
  block.c.data = transposed;
  block.c.row_stride = width;
  gemm_block_f32(block);
  for (std::int64_t lane = 0; lane < rows; lane += 4) {
    const float32x4_t scale = vld1q_f32(factor + lane);
    const std::int64_t count = rows - lane < 4 ? rows - lane : 4;
    for (std::int64_t d = 0; d < dim; d += 4) {
      const float* corner = transposed + d * width + lane;
      float32x4_t out[4] = {vld1q_f32(corner), vld1q_f32(corner + width), vld1q_f32(corner + 2 * width),
                            vld1q_f32(corner + 3 * width)};
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

/// What is added to the scores of a panel of queries: the bias, the mask, neither or both.
struct Addends {
  int count = 0;
  MatrixRows<const float> of[2];  ///< from the panel's first query on

  Addends(const AttentionInputs& inputs, std::int64_t first) {
    for (const auto& [data, stride] : {inputs.bias, inputs.mask})
      if (data != nullptr) of[count++] = {data + first, stride};
  }
};

/// scale * product + the addends of key j, vector v.
template <int kAddends>
inline float32x4_t score(float32x4_t product, float32x4_t scale, const Addends& addends, std::int64_t j, int v) {
  static_assert(kAddends > 0);
  const float32x4_t sum = vfmaq_f32(vld1q_f32(addends.of[0].row(j) + 4 * v), product, scale);
  return kAddends == 1 ? sum : vaddq_f32(sum, vld1q_f32(addends.of[1].row(j) + 4 * v));
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

/// Calls run.template operator()<vectors, addends>().
template <class Run>
inline void dispatch_panel(std::int64_t rows, const Addends& addends, Run run) {
  dispatch_vectors(rows, [&]<int kVectors>() {
    switch (addends.count) {
      case 0:
        return run.template operator()<kVectors, 0>();
      case 1:
        return run.template operator()<kVectors, 1>();
      default:
        return run.template operator()<kVectors, 2>();
    }
  });
}

}  // namespace bramble::kernels::attention
