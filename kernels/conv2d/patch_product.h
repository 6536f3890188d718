// The matrix product that a convolution's forward and its gradient by data end in.
#pragma once

#include "kernels/conv2d/conv2d.h"
#include "kernels/gemm/gemm.h"

namespace bramble::kernels {

/// Whether P's rows are the source's pixels, as in a 1 x 1 convolution with stride 1, and seven of them leave B room in
/// L1 (64 KiB of four ways).
bool pixels_in_place(const PatchGrid& grid);

/// C = epilogue(P * B) with P of a PatchGrid and rows of C anywhere.
struct PatchProduct {
  PatchGrid grid;
  const float* source = nullptr;
  const Normalisation* normalisation = nullptr;
  const float* b = nullptr;
  std::int64_t cols = 0;
  float* c = nullptr;
  GemmEpilogue epilogue;
  /// Grid position (n, gy, gx) is pixel (n, gy * step + y, gx * step + x) of C.
  std::int64_t c_height = 0, c_width = 0, c_step = 1, c_y = 0, c_x = 0, c_pixel_stride = 0;

  std::int64_t row_offset(std::int64_t m) const {
    if (c_step == 1) return m * c_pixel_stride;
    const std::int64_t gx = m % grid.x.extent, gy = m / grid.x.extent % grid.y.extent;
    const std::int64_t n = m / grid.x.extent / grid.y.extent;
    return ((n * c_height + gy * c_step + c_y) * c_width + gx * c_step + c_x) * c_pixel_stride;
  }

  /// Rows of P are pixels: the GEMM reads them where they lie.
  bool rows_in_place() const { return !normalisation && c_step == 1 && pixels_in_place(grid); }

  /// The epilogue of the columns from `col` on.
  GemmEpilogue epilogue_from(std::int64_t col) const {
    GemmEpilogue result = epilogue;
    if (result.bias) result.bias += col;
    if (result.residual) result.residual += col;
    if (result.preactivation) result.preactivation += col;
    return result;
  }
};

/// The slice of C, whose rows and columns are pixels and channels of one group.
void product_f32(const PatchProduct& product, const ConvSlice& slice, const ConvBlocking& blocking, float* scratch);

/// Only the terms [k, k + depth) of each sum: C is written by the first (k = 0), added to by those after it, and
/// finished by the last. `panels`, `depth` deep, hold these rows of B and the slice's columns.
void product_terms_f32(const PatchProduct& product, std::int64_t k, std::int64_t depth, const float* panels,
                       const ConvSlice& slice, const ConvBlocking& blocking, float* scratch);

}  // namespace bramble::kernels
