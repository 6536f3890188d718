// The one matrix product that convolutions, linear layers and attention end in. Operands are packed first:
//
//   A panels: 8 rows each, panel i holds rows [8i, 8i + 8) as [depth][8]; rows past the end are zeros.
//   B panels: 12 columns each, panel j holds columns [12j, 12j + 12) as [depth][12]; the last panel's width is what
//             remains, rounded up to a multiple of 4, columns past the end are zeros.
//
// Everything here computes slices: stateless, no allocation, no threads. All strides are in elements. Operands need no
// alignment beyond float's; 64-byte aligned panels are a little faster. No operand may overlap one that is written.
#pragma once

#include <cstdint>
#include <numeric>

#include "kernels/activation/activation.h"

namespace bramble::kernels {

// 8 x 12 accumulators take 24 of the 32 vector registers; 5 loads feed 24 FMAs, so loads never limit the two pipes.
inline constexpr std::int64_t kGemmTileRows = 8;
inline constexpr std::int64_t kGemmTileCols = 12;

constexpr std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// Floats in the A panels of a rows x depth operand.
constexpr std::int64_t gemm_a_elements(std::int64_t rows, std::int64_t depth) {
  return round_up(rows, kGemmTileRows) * depth;
}

/// Floats in the B panels of a depth x cols operand.
constexpr std::int64_t gemm_b_elements(std::int64_t depth, std::int64_t cols) { return depth * round_up(cols, 4); }

/// A panels of A[i][k] = source[i * row_stride + k].
void gemm_pack_a_f32(std::int64_t rows, std::int64_t depth, const float* source, std::int64_t row_stride,
                     float* panels);

/// A panels of A[i][k] = source[k * depth_stride + i].
void gemm_pack_a_trans_f32(std::int64_t rows, std::int64_t depth, const float* source, std::int64_t depth_stride,
                           float* panels);

/// B panels of B[k][j] = source[k * row_stride + j].
void gemm_pack_b_f32(std::int64_t depth, std::int64_t cols, const float* source, std::int64_t row_stride,
                     float* panels);

/// B panels of B[k][j] = source[j * col_stride + k].
void gemm_pack_b_trans_f32(std::int64_t depth, std::int64_t cols, const float* source, std::int64_t col_stride,
                           float* panels);

/// What happens to an element after its sum is complete, in this order: + bias[j], * scale[j], + residual, kept in
/// preactivation, activation, * gelu'(gelu_input). All but bias and scale lie like C. Null pointers leave a step out.
struct GemmEpilogue {
  const float* bias = nullptr;
  const float* residual = nullptr;
  float* preactivation = nullptr;
  Activation activation = Activation::none;
  const float* gelu_input = nullptr;  ///< not together with an activation
  const float* scale = nullptr;
};

/// for (i < rows) for (j < cols)
///   c[i * row_stride + j] =
///       epilogue((accumulate ? c[i * row_stride + j] : 0) + sum over k < depth of A[i][k] * B[k][j]);
/// `a` and `b` are packed; any depth, 0 too. c is written (=) or, with `accumulate`, read and written (+=).
/// For speed cut the depth into blocks of about 256 to 384 and the rows so that A's block stays in L2.
void gemm_packed_f32(std::int64_t rows, std::int64_t cols, std::int64_t depth, const float* a, const float* b, float* c,
                     std::int64_t row_stride, bool accumulate, const GemmEpilogue& epilogue = {});

/// Where a block's results go, and where its residual and pre-activation lie.
struct GemmOutput {
  float* data = nullptr;
  std::int64_t row_stride = 0;                ///< element (i, j) is data[i * row_stride + j] …
  const std::int64_t* row_offsets = nullptr;  ///< … or, where given, data[row_offsets[i] + j] …
  std::int64_t panel_depth = 0;  ///< … or, if > 0, in B-panel layout: row first_row + i of panels this deep (a weight's
  std::int64_t first_row = 0;    ///< gradient). Pads are then written too, as zeros, and there must be no epilogue.
  bool cached = false;           ///< stays in a cache: rows are stored as they are made, not along with later products
};

/// gemm_packed_f32 on a slice of deeper B panels: rows [b_first, b_first + depth) of panels that are b_depth deep.
struct GemmBlock {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t depth = 0;
  const float* a = nullptr;  ///< panels exactly `depth` deep
  const float* b = nullptr;  ///< the panel that holds the block's first column (a multiple of 12)
  std::int64_t b_depth = 0;
  std::int64_t b_first = 0;
  GemmOutput c;
  bool accumulate = false;
  // Operands that are read where they lie, if not 0: depth step k is a[k * a_step + i], 8 rows of which must be
  // readable wherever one exists, and b[k * b_step + j], likewise 4 columns.
  std::int64_t a_step = 0;
  std::int64_t b_step = 0;
  /// If not 0, a multiple of 4: a sum is that of sums of so many terms (without `accumulate`).
  std::int64_t depth_step = 0;
  std::int64_t b_group = 0;  ///< B's panels that meet each tile of A while it is in L1; 0: as many as stay there
};

void gemm_block_f32(const GemmBlock& block, const GemmEpilogue& epilogue = {});

/// What a weight's gradient becomes tile by tile, and where. `run` updates copies of a tile's weights and of the
/// optimiser's state for them, 8 rows x 12 columns side by side, which then replace them.
struct GemmUpdate {
  float* weight = nullptr;  ///< the panel of the block's first column; panels are panel_depth deep …
  float* state = nullptr;   ///< likewise, or null
  std::int64_t panel_depth = 0;
  std::int64_t first_row = 0;  ///< … and the block's rows begin at this one
  void (*run)(const void* context, const float* gradient, float* weight, float* state) = nullptr;
  const void* context = nullptr;

  /// That of a block from row `row` on of panels `depth` deep, the first of which begins `offset` floats after these.
  GemmUpdate of_block(std::int64_t offset, std::int64_t depth, std::int64_t row) const {
    return {weight + offset, state ? state + offset : nullptr, depth, row, run, context};
  }
};

/// gemm_block_f32 in panel layout, its rows a multiple of 8, without an epilogue, but that whole panels' sums go to the
/// update, not to C. The last panel's, where it is narrower, are C's as ever.
void gemm_update_f32(const GemmBlock& block, const GemmUpdate& update);

/// Whether rows `stride` floats apart fall evenly into the sets of L1 (64 KiB of four ways), so that a few hundred lines
/// of them stay there: then an operand read again and again may be read where it lies.
constexpr bool gemm_spreads_over_l1(std::int64_t stride) {
  constexpr std::int64_t kWay = 16 << 10, kEven = 256;
  return std::gcd(stride * static_cast<std::int64_t>(sizeof(float)), kWay) <= kEven;
}

/// Rows of A at a time that gemm_rows_f32 multiplies: 21 accumulators, 7 vectors of A and 3 of B.
inline constexpr std::int64_t kGemmRowsTile = 7;

/// Rows of A and columns that it multiplies at a time where it takes more columns: 20 accumulators, 5 vectors of A and 4
/// of B.
inline constexpr std::int64_t kGemmWideTileRows = 5;
inline constexpr std::int64_t kGemmWideTileCols = 16;

/// Where the last panel of B is narrower than twelve, gemm_rows_f32 may take the last columns by 16, five rows at a
/// time: how many these are, else 0. All of 16 or 32, or the last 16 of so many that A's second passage counts for
/// little.
constexpr std::int64_t gemm_rows_wide_cols(std::int64_t cols) {
  if (cols == kGemmWideTileCols || cols == 2 * kGemmWideTileCols) return cols;
  return cols % kGemmTileCols == 4 && cols >= 64 ? kGemmWideTileCols : 0;
}

/// Rows in multiples of which none is multiplied in vain.
constexpr std::int64_t gemm_rows_whole_tiles(std::int64_t cols) {
  const std::int64_t wide = gemm_rows_wide_cols(cols);
  return wide == 0 ? kGemmRowsTile : wide == cols ? kGemmWideTileRows : kGemmWideTileRows * kGemmRowsTile;
}

/// How long its sums may be at most for two B panels to stay in L1. Where they break, C comes and goes, 3 % of a tile of
/// 192 terms; a third panel, of 256, saves fetching A as often, 1 %.
inline constexpr std::int64_t kGemmRowsDepth = 384;

/// gemm_packed_f32 with A's rows where they lie, four steps of the depth of seven rows at a time: nothing is packed.
/// For rows that lie so that many of them fit L1 side by side (strides of large powers of two do not).
struct GemmRows {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t depth = 0;
  /// Sums break after so many terms, a multiple of 4: these go to C and come back or, where they are half of at most
  /// kGemmRowsDepth or there are but four rows, stay in the tile. A bias comes last then as well.
  std::int64_t depth_step = 0;
  const float* a = nullptr;     ///< A[i][k] = a[i * a_stride + k]
  std::int64_t a_stride = 0;
  const float* b = nullptr;  ///< the panel, b_depth >= depth deep, that holds the first column (a multiple of 12)
  std::int64_t b_depth = 0;
  float* c = nullptr;
  std::int64_t c_stride = 0;
  bool accumulate = false;
};

void gemm_rows_f32(const GemmRows& product, const GemmEpilogue& epilogue = {});

/// sums[j] = (accumulate ? sums[j] : 0) + sum over i < rows of source[i * row_stride + j];
void gemm_column_sums_f32(std::int64_t rows, std::int64_t cols, const float* source, std::int64_t row_stride,
                          float* sums, bool accumulate);

/// The same of B panels: sums[j] = (accumulate ? sums[j] : 0) + sum over k < depth of B[k][j];
void gemm_panel_sums_f32(std::int64_t depth, std::int64_t cols, const float* panels, float* sums, bool accumulate);

/// The scalar references, summing in double. Plain operands: A[i * a_row + k * a_depth], B[k * b_row + j * b_col].
void gemm_f32_ref(std::int64_t rows, std::int64_t cols, std::int64_t depth, const float* a, std::int64_t a_row,
                  std::int64_t a_depth, const float* b, std::int64_t b_row, std::int64_t b_col, float* c,
                  std::int64_t row_stride, bool accumulate, const GemmEpilogue& epilogue = {});

}  // namespace bramble::kernels
