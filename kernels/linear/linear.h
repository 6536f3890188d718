// A linear layer's gradients. Forward, and by data where the transposed weight is at hand, are gemm_rows_f32 (gemm.h)
// on x and dy as they lie.
//
//   dw[i][o] (=) sum over m < rows of x[m][i] * dy[m][o],    db[o] (=) sum over m of dy[m][o]
//
// A slice of the wider operand stays in L1, and the narrower one passes by for each slice. Both are read where they
// lie, but where their rows would fall on each other in L1: then the wider one's slices are packed, and the narrower
// one as a whole before, chunk by chunk.
//
//   dx[m][i] (=) (sum over o < out of dy[m][o] * scale[o] * W[i][o] + addend[m][i]) * gelu'(gelu_input[m][i])
//
// No allocation, no threads, no state.
#pragma once

#include <cstdint>

#include "kernels/gemm/gemm.h"
#include "kernels/gemm/packed_weight.h"

namespace bramble::kernels {

struct LinearShape {
  std::int64_t rows = 0;  ///< of x and dy, all leading dimensions
  std::int64_t in = 0;
  std::int64_t out = 0;
  // Elements from a row of x (or dx) or of dy to the next; 0 where rows follow one another.
  std::int64_t x_stride = 0;
  std::int64_t dy_stride = 0;

  std::int64_t x_step() const { return x_stride > 0 ? x_stride : in; }
  std::int64_t dy_step() const { return dy_stride > 0 ? dy_stride : out; }

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
/// [begin, end), multiples of the unit but for the last one; and db, unless null: those columns, or if the slices are
/// of rows all of it with the first. `packed` holds all chunks, or is null if there are none. With an update (whose
/// `weight` and `state` are the whole ones; its panel_depth and first_row are set here) what dw has of panels of 12
/// columns in the end is undefined: they go to the update.
void linear_bwd_weight_f32(const LinearShape& shape, const float* x, const float* dy, const float* packed,
                           const GradientPanels& dw, const GemmUpdate* update, float* db, std::int64_t begin,
                           std::int64_t end, float* scratch);

/// Panels of W transposed, a matrix of `out` rows, for its columns [begin, end) from a multiple of 12, to their place
/// in `panels` (packed_weight_elements(out, in) floats); row o times scale[o] unless that is null. With it by data is
/// gemm_rows_f32 of dy.
void linear_transpose_weight_f32(const LinearShape& shape, const float* weight, const float* scale, std::int64_t begin,
                                 std::int64_t end, float* panels);

struct LinearBwdDataOperands {
  const float* dy = nullptr;
  const float* weight = nullptr;      ///< W as it is stored (packed_weight.h)
  const float* scale = nullptr;       ///< of a layer scale, or null
  const float* addend = nullptr;      ///< lies like dx, or null
  const float* gelu_input = nullptr;  ///< likewise
};

/// dx's columns [begin, end), from a multiple of 12, of all rows; sums break after depth_step terms. What it needs of
/// the weight is transposed in scratch, a step of the sums at a time: for weights that no cache holds, which transposed
/// as a whole would go to memory and back, and so few rows that dy may pass by once for each slice.
void linear_bwd_data_transposing_f32(const LinearShape& shape, const LinearBwdDataOperands& operands, float* dx,
                                     std::int64_t begin, std::int64_t end, std::int64_t depth_step, float* scratch);
/// Floats of its scratch, 64-byte aligned, for slices of so many columns.
std::int64_t linear_bwd_data_transposing_scratch(std::int64_t cols, std::int64_t depth_step);

}  // namespace bramble::kernels
