// GEMM panels of activations that are normalised on the way in: for 1 x 1 convolutions after a BatchNorm.
#pragma once

#include <cstdint>

#include "kernels/batchnorm/batchnorm.h"

namespace bramble::kernels {

/// A panels (gemm.h) of A[i][k] = x'(source[i * row_stride + k]), normalised as channel k.
void pack_a_normalised_f32(const Normalisation& normalisation, std::int64_t rows, std::int64_t depth,
                           const float* source, std::int64_t row_stride, float* panels);

/// A panels of A[i][k] = x'(source[k * depth_stride + i]), normalised as channel i.
void pack_a_trans_normalised_f32(const Normalisation& normalisation, std::int64_t rows, std::int64_t depth,
                                 const float* source, std::int64_t depth_stride, float* panels);

}  // namespace bramble::kernels
