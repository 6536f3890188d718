// GEMM panels of activations that are normalised, and gated, on the way in: for 1 x 1 convolutions after a BatchNorm,
// or a squeeze-excite after one.
#pragma once

#include <cstdint>

#include "kernels/batchnorm/batchnorm.h"

namespace bramble::kernels {

/// A panels (gemm.h) of A[i][k] = x'(source[i * row_stride + k]), normalised as channel k of row i.
void pack_a_normalised_f32(const Normalisation& normalisation, std::int64_t rows, std::int64_t depth,
                           const float* source, std::int64_t row_stride, float* panels);

/// A panels of A[i][k] = x'(source[k * depth_stride + i]), normalised as channel i of row k.
void pack_a_trans_normalised_f32(const Normalisation& normalisation, std::int64_t rows, std::int64_t depth,
                                 const float* source, std::int64_t depth_stride, float* panels);

}  // namespace bramble::kernels
