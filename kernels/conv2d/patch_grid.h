// Convolutions as matrices: which source values a row of the patch matrix holds, and packing them for gemm.h without
// that matrix ever existing. One description serves forward, by weight, and by data of any stride and dilation.
#pragma once

#include <cstdint>

namespace bramble::kernels {

/// One of the two directions. Grid position g and tap t read source position g * step + first + t * delta, or zero if
/// that lies outside [0, source).
struct PatchAxis {
  std::int64_t extent = 1;  ///< grid positions
  std::int64_t source = 1;  ///< source positions
  std::int64_t step = 1;
  std::int64_t taps = 1;
  std::int64_t first = 0;
  std::int64_t delta = 1;
};

/// The patch matrix P: row m = (n * y.extent + gy) * x.extent + gx, column k = (ty * x.taps + tx) * channels + c,
///   P[m][k] = source[((n * y.source + sy) * x.source + sx) * pixel_stride + c], sy and sx as PatchAxis says.
struct PatchGrid {
  PatchAxis y;
  PatchAxis x;
  std::int64_t channels = 1;
  std::int64_t pixel_stride = 1;  ///< floats from one source pixel to the next; exceeds `channels` for a group's slice

  std::int64_t rows(std::int64_t batch) const { return batch * y.extent * x.extent; }
  std::int64_t depth() const { return y.taps * x.taps * channels; }
};

/// A panels (gemm.h) of rows [row_begin, row_end) and columns [k_begin, k_end) of P.
void pack_patches_f32(const PatchGrid& grid, const float* source, std::int64_t row_begin, std::int64_t row_end,
                      std::int64_t k_begin, std::int64_t k_end, float* panels);

/// A panels of P transposed: rows are k in [k_begin, k_end), the depth is m in [row_begin, row_end).
void pack_patches_trans_f32(const PatchGrid& grid, const float* source, std::int64_t k_begin, std::int64_t k_end,
                            std::int64_t row_begin, std::int64_t row_end, float* panels);

}  // namespace bramble::kernels
