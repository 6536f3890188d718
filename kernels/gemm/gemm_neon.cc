#include <algorithm>

#include "kernels/activation/activation_neon.h"
#include "kernels/gemm/gemm.h"
#include "kernels/simd/neon.h"

// GCC 12 keeps the accumulators in registers only if every loop over their array is fully unrolled (39 % of the peak
// otherwise, 97 % so). Hence the pragmas; a tile's loops are written once and inlined for each width.
#define BRAMBLE_UNROLL _Pragma("GCC unroll 8")
#define BRAMBLE_INLINE inline __attribute__((always_inline))

namespace bramble::kernels {
namespace {

constexpr int kRows = kGemmTileRows;

template <int Vectors>
struct Accumulators {
  float32x4_t v[kRows][Vectors];
};

template <int Vectors>
BRAMBLE_INLINE void multiply_add(Accumulators<Vectors>& acc, const float* a, const float* b) {
  const float32x4_t a0 = vld1q_f32(a);
  const float32x4_t a1 = vld1q_f32(a + 4);
  BRAMBLE_UNROLL
  for (int j = 0; j < Vectors; ++j) {
    const float32x4_t bj = vld1q_f32(b + 4 * j);
    acc.v[0][j] = fma_lane_f32<0>(acc.v[0][j], bj, a0);
    acc.v[1][j] = fma_lane_f32<1>(acc.v[1][j], bj, a0);
    acc.v[2][j] = fma_lane_f32<2>(acc.v[2][j], bj, a0);
    acc.v[3][j] = fma_lane_f32<3>(acc.v[3][j], bj, a0);
    acc.v[4][j] = fma_lane_f32<0>(acc.v[4][j], bj, a1);
    acc.v[5][j] = fma_lane_f32<1>(acc.v[5][j], bj, a1);
    acc.v[6][j] = fma_lane_f32<2>(acc.v[6][j], bj, a1);
    acc.v[7][j] = fma_lane_f32<3>(acc.v[7][j], bj, a1);
  }
}

// acc = start[column] (zero where null) + A * B.
template <int Vectors>
BRAMBLE_INLINE void multiply(Accumulators<Vectors>& acc, const float* start, std::int64_t depth, const float* a,
                             const float* b) {
  BRAMBLE_UNROLL
  for (int j = 0; j < Vectors; ++j) {
    const float32x4_t value = start ? vld1q_f32(start + 4 * j) : vdupq_n_f32(0);
    BRAMBLE_UNROLL
    for (int i = 0; i < kRows; ++i) acc.v[i][j] = value;
  }
  // One step a turn: 24 FMAs take 12 cycles of the two pipes, its 33 instructions 9 of the decoder. Two steps let GCC
  // hoist the second's loads, and the accumulators spill.
  for (; depth > 0; --depth) {
    multiply_add(acc, a, b);
    a += kRows;
    b += 4 * Vectors;
  }
}

// The eight rows' offsets from an operand's first column (C, residual and pre-activation lie alike).
using TileRows = const std::int64_t*;

// A row's address as one register: GCC would otherwise compute, and spill, the 24 vectors' addresses ahead of use.
template <class T>
BRAMBLE_INLINE T* row_address(T* base, std::int64_t offset) {
  T* row = base + offset;
  asm("" : "+r"(row));
  return row;
}

template <int Vectors>
BRAMBLE_INLINE void add_rows(Accumulators<Vectors>& acc, const float* base, TileRows rows) {
  BRAMBLE_UNROLL
  for (int i = 0; i < kRows; ++i) {
    const float* row = row_address(base, rows[i]);
    BRAMBLE_UNROLL
    for (int j = 0; j < Vectors; ++j) acc.v[i][j] = vaddq_f32(acc.v[i][j], vld1q_f32(row + 4 * j));
  }
}

template <int Vectors>
BRAMBLE_INLINE void store_rows(const Accumulators<Vectors>& acc, float* base, TileRows rows) {
  BRAMBLE_UNROLL
  for (int i = 0; i < kRows; ++i) {
    float* row = row_address(base, rows[i]);
    BRAMBLE_UNROLL
    for (int j = 0; j < Vectors; ++j) vst1q_f32(row + 4 * j, acc.v[i][j]);
  }
}

template <int Vectors>
BRAMBLE_INLINE void clamp(Accumulators<Vectors>& acc, bool to_six) {
  BRAMBLE_UNROLL
  for (int i = 0; i < kRows; ++i) {
    BRAMBLE_UNROLL
    for (int j = 0; j < Vectors; ++j) acc.v[i][j] = vmaxq_f32(acc.v[i][j], vdupq_n_f32(0));
  }
  if (!to_six) return;
  BRAMBLE_UNROLL
  for (int i = 0; i < kRows; ++i) {
    BRAMBLE_UNROLL
    for (int j = 0; j < Vectors; ++j) acc.v[i][j] = vminq_f32(acc.v[i][j], vdupq_n_f32(6.0f));
  }
}

// Its 30 instructions need the registers that the accumulators hold: a pass over the tile while it is in L1.
template <int Vectors>
__attribute__((noinline)) void gelu_rows(float* base, TileRows rows) {
  for (int i = 0; i < kRows; ++i) {
    float* row = base + rows[i];
    for (int j = 0; j < Vectors; ++j) vst1q_f32(row + 4 * j, gelu_f32x4(vld1q_f32(row + 4 * j)));
  }
}

constexpr std::int64_t kSameRow[kRows] = {};

bool is_plain(const GemmEpilogue& epilogue) {
  return !epilogue.bias && !epilogue.residual && !epilogue.preactivation && epilogue.activation == Activation::none;
}

/// A whole tile. Pointers in `epilogue` and `c` are those of the tile's first column.
template <int Vectors>
void full_tile(std::int64_t depth, const float* a, const float* b, float* c, TileRows rows, bool accumulate,
               const GemmEpilogue& epilogue, bool plain) {
  // A bias that comes with the first products costs nothing as their start.
  const float* start = accumulate ? nullptr : epilogue.bias;
  Accumulators<Vectors> acc;
  multiply(acc, start, depth, a, b);
  if (accumulate) add_rows(acc, c, rows);
  if (plain) return store_rows(acc, c, rows);
  if (epilogue.bias && !start) add_rows(acc, epilogue.bias, kSameRow);
  if (epilogue.residual) add_rows(acc, epilogue.residual, rows);
  if (epilogue.preactivation) store_rows(acc, epilogue.preactivation, rows);
  if (epilogue.activation == Activation::relu || epilogue.activation == Activation::relu6) {
    clamp(acc, epilogue.activation == Activation::relu6);
  }
  store_rows(acc, c, rows);
  if (epilogue.activation == Activation::gelu) gelu_rows<Vectors>(c, rows);
}

/// A tile at the lower or right edge: `valid_rows` x `valid_cols` of it exist.
template <int Vectors>
void edge_tile(std::int64_t depth, const float* a, const float* b, float* c, TileRows rows,
               std::int64_t valid_rows, std::int64_t valid_cols, bool accumulate, const GemmEpilogue& epilogue) {
  float tile[kRows][4 * Vectors];
  std::int64_t tile_rows[kRows];
  for (int i = 0; i < kRows; ++i) tile_rows[i] = i * 4 * Vectors;
  {
    Accumulators<Vectors> acc;
    multiply(acc, nullptr, depth, a, b);
    store_rows(acc, tile[0], tile_rows);
  }
  for (std::int64_t i = 0; i < valid_rows; ++i) {
    const std::int64_t row = rows[i];
    for (std::int64_t j = 0; j < valid_cols; ++j) {
      float value = tile[i][j];
      if (accumulate) value += c[row + j];
      if (epilogue.bias) value += epilogue.bias[j];
      if (epilogue.residual) value += epilogue.residual[row + j];
      if (epilogue.preactivation) epilogue.preactivation[row + j] = value;
      tile[i][j] = value;
    }
    activation_fwd_f32(epilogue.activation, 0, 4 * Vectors, tile[i], tile[i]);
    std::copy_n(tile[i], valid_cols, c + row);
  }
}

template <int Vectors>
void panel(const GemmBlock& block, const float* b, std::int64_t col, const GemmEpilogue& block_epilogue) {
  const bool packed = block.c.panel_depth > 0;
  const std::int64_t stored_cols = 4 * Vectors;
  const std::int64_t cols = packed ? stored_cols : std::min(stored_cols, block.cols - col);
  float* c = packed ? block.c.data + col * block.c.panel_depth + block.c.first_row * stored_cols : block.c.data + col;
  const std::int64_t row_stride = packed ? stored_cols : block.c.row_stride;
  GemmEpilogue epilogue = block_epilogue;
  if (epilogue.bias) epilogue.bias += col;
  if (epilogue.residual) epilogue.residual += col;
  if (epilogue.preactivation) epilogue.preactivation += col;
  const bool plain = is_plain(epilogue);

  std::int64_t strided[kRows];
  for (int i = 0; i < kRows; ++i) strided[i] = i * row_stride;
  const float* a = block.a;
  for (std::int64_t first = 0; first < block.rows; first += kRows, a += kRows * block.depth) {
    const std::int64_t valid = std::min<std::int64_t>(kRows, block.rows - first);
    const TileRows rows = block.c.row_offsets ? block.c.row_offsets + first : strided;
    if (valid == kRows && cols == stored_cols) {
      full_tile<Vectors>(block.depth, a, b, c, rows, block.accumulate, epilogue, plain);
    } else {
      edge_tile<Vectors>(block.depth, a, b, c, rows, valid, cols, block.accumulate, epilogue);
    }
    if (!block.c.row_offsets) {
      c += kRows * row_stride;
      if (epilogue.residual) epilogue.residual += kRows * row_stride;
      if (epilogue.preactivation) epilogue.preactivation += kRows * row_stride;
    }
  }
}

}  // namespace

// A panel of B (12 columns, up to 18 KiB at a depth of 384) stays in L1 while A's panels stream past it from L2.
void gemm_block_f32(const GemmBlock& block, const GemmEpilogue& epilogue) {
  for (std::int64_t col = 0; col < block.cols; col += kGemmTileCols) {
    const std::int64_t width = std::min(kGemmTileCols, round_up(block.cols - col, 4));
    const float* b = block.b + col * block.b_depth + block.b_first * width;
    switch (width / 4) {
      case 1: panel<1>(block, b, col, epilogue); break;
      case 2: panel<2>(block, b, col, epilogue); break;
      default: panel<3>(block, b, col, epilogue); break;
    }
  }
}

void gemm_packed_f32(std::int64_t rows, std::int64_t cols, std::int64_t depth, const float* a, const float* b, float* c,
                     std::int64_t row_stride, bool accumulate, const GemmEpilogue& epilogue) {
  GemmBlock block;
  block.rows = rows;
  block.cols = cols;
  block.depth = depth;
  block.a = a;
  block.b = b;
  block.b_depth = depth;
  block.c.data = c;
  block.c.row_stride = row_stride;
  block.accumulate = accumulate;
  gemm_block_f32(block, epilogue);
}

}  // namespace bramble::kernels
