// A window's tokens of one head, taken together from where they lie in an image and put back there: what packing is to
// a matrix product. Index arithmetic (partition, cyclic shift, grid) is the caller's, as a list of rows.
#pragma once

#include <cstdint>

#include "kernels/attention/attention.h"

namespace bramble::kernels {

/// for (i < count) for (d < dim) target.row(i)[d] = source.row(rows[i])[d];
void gather_window_f32(std::int64_t count, std::int64_t dim, const MatrixRows<const float>& source,
                       const std::int32_t* rows, const MatrixRows<float>& target);

/// for (i < count) for (d < dim) target.row(rows[i])[d] = source.row(i)[d];
void scatter_window_f32(std::int64_t count, std::int64_t dim, const MatrixRows<const float>& source,
                        const std::int32_t* rows, const MatrixRows<float>& target);

}  // namespace bramble::kernels
