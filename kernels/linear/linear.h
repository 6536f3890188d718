// A linear layer's gradient by weight; forward and by data are gemm_rows_f32 (gemm.h) on x and dy as they lie.
//
//   dw[i][o] (=) sum over m < rows of x[m][i] * dy[m][o],    db[o] (=) sum over m of dy[m][o]
//
// The wider operand is packed, a slice of it that stays in L1 at a time; the narrower one passes by for each slice. It
// is read where it lies, or, where its rows would fall on each other in L1, packed as a whole before, chunk by chunk.
// No allocation, no threads, no state.
#pragma once

#include <cstdint>

#include "kernels/gemm/packed_weight.h"

namespace bramble::kernels {

struct LinearShape {
  std::int64_t rows = 0;  ///< of x and dy, all leading dimensions
  std::int64_t in = 0;
  std::int64_t out = 0;

  /// Whether dw's slices are of rows (of x's columns); of columns (of dy's) otherwise.
  bool slices_rows() const { return in > out; }
};

/// Whether linear_bwd_weight_f32 can: `in` a multiple of 8, `out` of 4.
bool linear_bwd_weight_takes(const LinearShape& shape);

/// Columns of x or dy that one slice is best a multiple of: what is packed at a time.
std::int64_t linear_bwd_weight_unit(const LinearShape& shape);

/// Chunks of rows in which the narrower operand is to be packed before; 0 if it is read where it lies.
std::int64_t linear_bwd_weight_chunks(const LinearShape& shape);
/// Floats that all chunks together occupy.
std::int64_t linear_bwd_weight_packed_floats(const LinearShape& shape);
/// Packs one chunk of x or dy, whichever is narrower, to its place in `packed`.
void linear_bwd_weight_pack_f32(const LinearShape& shape, std::int64_t chunk, const float* x, const float* dy,
                                float* packed);

/// Floats of scratch, 64-byte aligned.
std::int64_t linear_bwd_weight_scratch(const LinearShape& shape);

/// dw (packed_weight.h; the whole or panels that hold the slice at least) for rows or columns, as slices_rows() says,
/// [begin, end), multiples of the unit but for the last one; and those columns of db, which is not touched if null or
/// if the slices are of rows. `packed` holds all chunks, or is null if there are none.
void linear_bwd_weight_f32(const LinearShape& shape, const float* x, const float* dy, const float* packed,
                           const GradientPanels& dw, float* db, std::int64_t begin, std::int64_t end, float* scratch);

}  // namespace bramble::kernels
