// Layer scale within a linear layer, y[m][o] = (sum over i of x[m][i] * W[i][o] + b[o]) * scale[o]. No pass over the
// activations is its own: forward it is the product's epilogue, by data the transposed weight's rows are scaled, and by
// weight everything follows from the gradient D that the layer would have without it, D[i][o] = sum over m of
// x[m][i] * dy[m][o], and d[o] = sum over m of dy[m][o].
//
// W and D are packed (packed_weight.h): [12 columns][in][12]. Slices of columns begin at a multiple of 12. No
// allocation, threads or state.
#pragma once

#include <cstdint>

namespace bramble::kernels {

/// W^T's panels of `cols` columns and `depth` rows: panels(k, j) *= scale[k].
void linear_scale_rows_f32(std::int64_t depth, std::int64_t cols, const float* scale, float* panels);

struct LinearScale {
  std::int64_t in = 0;
  std::int64_t out = 0;
  const float* weight = nullptr;  ///< W
  const float* bias = nullptr;    ///< b, or null (0)
  const float* scale = nullptr;
};

/// For columns o in [col_begin, col_end), any of the results may be null:
///   dscale[o] (=) sum over i of W[i][o] * D[i][o] + b[o] * d[o];  dw[i][o] (=) D[i][o] * scale[o];
///   db[o] (=) d[o] * scale[o]
/// `dw` is where the panel of col_begin is to lie, which may be D's place; db may be d. Sums in float over at most 64
/// rows at a time, in double beyond. d may be null where there is neither bias nor db.
void linear_scale_bwd_f32(const LinearScale& layer, const float* unscaled_dw, const float* unscaled_db,
                          std::int64_t col_begin, std::int64_t col_end, float* dw, float* db, float* dscale);

void linear_scale_bwd_f32_ref(const LinearScale& layer, const float* unscaled_dw, const float* unscaled_db, float* dw,
                              float* db, float* dscale);

}  // namespace bramble::kernels
