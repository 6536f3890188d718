// A register tile of the GEMM: its products, and what becomes of them. Include from _neon.cc files only.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/activation/activation_neon.h"
#include "kernels/gemm/gemm.h"
#include "kernels/simd/neon.h"

// GCC 12 keeps the accumulators in registers only if every loop over their array is fully unrolled (39 % of the peak
// otherwise). Hence the pragmas; a tile's loops are written once and inlined for each size.
#define BRAMBLE_UNROLL _Pragma("GCC unroll 8")
#define BRAMBLE_INLINE inline __attribute__((always_inline))

// For a function that holds all tiles' loops, two pages long: where they lie in their pages does not depend on what is
// linked before them. bench/pi5model prices a loop that a page's end cuts as two, 3 % slower on four cores.
#define BRAMBLE_PAGE_ALIGNED __attribute__((aligned(4096)))

namespace bramble::kernels::gemm {

template <int Rows, int Vectors>
struct Accumulators {
  float32x4_t v[Rows][Vectors];
};

// Between two depth steps: GCC would hoist the second's loads above the first's products, and the accumulators spill.
BRAMBLE_INLINE void end_step() { asm volatile("" ::: "memory"); }

/// acc = start[column] (zero where null).
template <int Rows, int Vectors>
BRAMBLE_INLINE void begin_tile(Accumulators<Rows, Vectors>& acc, const float* start) {
  BRAMBLE_UNROLL
  for (int j = 0; j < Vectors; ++j) {
    const float32x4_t value = start ? vld1q_f32(start + 4 * j) : vdupq_n_f32(0);
    BRAMBLE_UNROLL
    for (int i = 0; i < Rows; ++i) acc.v[i][j] = value;
  }
}

/// One depth step: acc[i] += b * a[i][Lane], a row a register.
template <int Lane, int Rows, int Vectors>
BRAMBLE_INLINE void step_rows(Accumulators<Rows, Vectors>& acc, const float32x4_t (&a)[Rows], const float* b) {
  float32x4_t columns[Vectors];
  BRAMBLE_UNROLL
  for (int j = 0; j < Vectors; ++j) columns[j] = vld1q_f32(b + 4 * j);
  BRAMBLE_UNROLL
  for (int i = 0; i < Rows; ++i) {
    BRAMBLE_UNROLL
    for (int j = 0; j < Vectors; ++j) add_product_lane_f32<Lane>(acc.v[i][j], columns[j], a[i]);
  }
  end_step();
}

/// One depth step of eight rows that lie side by side.
template <int Vectors>
BRAMBLE_INLINE void step_lanes(Accumulators<8, Vectors>& acc, const float* a, const float* b) {
  const float32x4_t a0 = vld1q_f32(a);
  const float32x4_t a1 = vld1q_f32(a + 4);
  float32x4_t columns[Vectors];
  BRAMBLE_UNROLL
  for (int j = 0; j < Vectors; ++j) columns[j] = vld1q_f32(b + 4 * j);
  BRAMBLE_UNROLL
  for (int j = 0; j < Vectors; ++j) {
    acc.v[0][j] = fma_lane_f32<0>(acc.v[0][j], columns[j], a0);
    acc.v[1][j] = fma_lane_f32<1>(acc.v[1][j], columns[j], a0);
    acc.v[2][j] = fma_lane_f32<2>(acc.v[2][j], columns[j], a0);
    acc.v[3][j] = fma_lane_f32<3>(acc.v[3][j], columns[j], a0);
    acc.v[4][j] = fma_lane_f32<0>(acc.v[4][j], columns[j], a1);
    acc.v[5][j] = fma_lane_f32<1>(acc.v[5][j], columns[j], a1);
    acc.v[6][j] = fma_lane_f32<2>(acc.v[6][j], columns[j], a1);
    acc.v[7][j] = fma_lane_f32<3>(acc.v[7][j], columns[j], a1);
  }
  end_step();
}

/// Where the tile's rows lie from an operand's first element (C, residual, pre-activation and gelu_input lie alike).
/// Rows that do not exist have the last one's offset: rows are stored from the last to the first, so that the one that
/// exists remains.
using TileRows = const std::int64_t*;

// A row's address as one register: GCC would otherwise compute, and spill, all vectors' addresses ahead of use.
template <class T>
BRAMBLE_INLINE T* row_address(T* base, std::int64_t offset) {
  T* row = base + offset;
  asm("" : "+r"(row));
  return row;
}

template <int Rows, int Vectors>
BRAMBLE_INLINE void add_rows(Accumulators<Rows, Vectors>& acc, const float* base, TileRows rows) {
  BRAMBLE_UNROLL
  for (int i = 0; i < Rows; ++i) {
    const float* row = row_address(base, rows[i]);
    BRAMBLE_UNROLL
    for (int j = 0; j < Vectors; ++j) acc.v[i][j] = vaddq_f32(acc.v[i][j], vld1q_f32(row + 4 * j));
  }
}

/// Eight rows that lie side by side, `width` elements each.
template <std::int64_t width>
inline constexpr std::int64_t kRowsSideBySide[8] = {0,         width,     2 * width, 3 * width,
                                                    4 * width, 5 * width, 6 * width, 7 * width};

template <int Rows, int Vectors>
BRAMBLE_INLINE void scale_columns(Accumulators<Rows, Vectors>& acc, const float* scale) {
  BRAMBLE_UNROLL
  for (int j = 0; j < Vectors; ++j) {
    const float32x4_t factor = vld1q_f32(scale + 4 * j);
    BRAMBLE_UNROLL
    for (int i = 0; i < Rows; ++i) acc.v[i][j] = vmulq_f32(acc.v[i][j], factor);
  }
}

template <int Rows, int Vectors>
BRAMBLE_INLINE void store_rows(const Accumulators<Rows, Vectors>& acc, float* base, TileRows rows) {
  BRAMBLE_UNROLL
  for (int i = Rows - 1; i >= 0; --i) {
    float* row = row_address(base, rows[i]);
    BRAMBLE_UNROLL
    for (int j = 0; j < Vectors; ++j) vst1q_f32(row + 4 * j, acc.v[i][j]);
  }
}

template <int Rows, int Vectors>
BRAMBLE_INLINE void clamp(Accumulators<Rows, Vectors>& acc, bool to_six) {
  BRAMBLE_UNROLL
  for (int i = 0; i < Rows; ++i) {
    BRAMBLE_UNROLL
    for (int j = 0; j < Vectors; ++j) acc.v[i][j] = vmaxq_f32(acc.v[i][j], vdupq_n_f32(0));
  }
  if (!to_six) return;
  BRAMBLE_UNROLL
  for (int i = 0; i < Rows; ++i) {
    BRAMBLE_UNROLL
    for (int j = 0; j < Vectors; ++j) acc.v[i][j] = vminq_f32(acc.v[i][j], vdupq_n_f32(6.0f));
  }
}

/// Whether an activation, other than none, is done while the tile is in registers.
constexpr bool clamps(Activation activation) {
  return activation == Activation::relu || activation == Activation::relu6;
}

// GELU and the like, and its derivative, need the registers that the accumulators hold: a pass over the tile while it
// is in L1.
template <int Vectors>
__attribute__((noinline)) void activate_rows(Activation activation, const float* from, float* to, TileRows rows,
                                             std::int64_t count) {
  dispatch_activation(activation, [=]<Activation A>() {
    for (std::int64_t i = 0; i < count; ++i) activate_vectors<A, Vectors>(from + rows[i], to + rows[i]);
  });
}

template <int Vectors>
__attribute__((noinline)) void gelu_bwd_rows(const float* z, float* dx, TileRows rows, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) gelu_bwd_vectors<Vectors>(z + rows[i], dx + rows[i], dx + rows[i]);
}

/// What all tiles of one product have in common.
struct TileTask {
  float* c;
  GemmEpilogue epilogue;
  bool accumulate;
  bool plain;  // nothing in the epilogue

  TileTask(float* target, const GemmEpilogue& ending, bool add)
      : c(target),
        epilogue(ending),
        accumulate(add),
        plain(!ending.bias && !ending.scale && !ending.residual && !ending.preactivation && !ending.gelu_input &&
              ending.activation == Activation::none) {}

  /// A bias that comes with the first products costs nothing as their start.
  const float* start(std::int64_t col) const { return accumulate || !epilogue.bias ? nullptr : epilogue.bias + col; }
};

inline constexpr std::int64_t kSameRow[8] = {};

/// Adds, activates and stores a tile of which `count` rows and all columns, from `col` on, exist: to `c`, its rows at
/// `c_rows`, which are the operands' own but where there is neither a pre-activation nor a gelu_input.
template <int Rows, int Vectors>
BRAMBLE_INLINE void finish_tile(Accumulators<Rows, Vectors>& acc, const TileTask& task, std::int64_t col, TileRows rows,
                                std::int64_t count, float* c, TileRows c_rows) {
  if (task.accumulate) add_rows(acc, task.c + col, rows);
  if (task.plain) return store_rows(acc, c, c_rows);
  const GemmEpilogue& epilogue = task.epilogue;
  if (epilogue.bias && task.accumulate) add_rows(acc, epilogue.bias + col, kSameRow);
  if (epilogue.scale) scale_columns(acc, epilogue.scale + col);
  if (epilogue.residual) add_rows(acc, epilogue.residual + col, rows);
  if (epilogue.preactivation) store_rows(acc, epilogue.preactivation + col, rows);
  if (clamps(epilogue.activation)) {
    clamp(acc, epilogue.activation == Activation::relu6);
  } else if (epilogue.activation != Activation::none) {
    if (!epilogue.preactivation) store_rows(acc, c, c_rows);
    const float* from = epilogue.preactivation ? epilogue.preactivation + col : c;
    return activate_rows<Vectors>(epilogue.activation, from, c, c_rows, count);
  }
  store_rows(acc, c, c_rows);
  if (epilogue.gelu_input) gelu_bwd_rows<Vectors>(epilogue.gelu_input + col, c, c_rows, count);
}

/// The same to its place in C.
template <int Rows, int Vectors>
BRAMBLE_INLINE void finish_tile(Accumulators<Rows, Vectors>& acc, const TileTask& task, std::int64_t col, TileRows rows,
                                std::int64_t count) {
  finish_tile(acc, task, col, rows, count, task.c + col, rows);
}

/// `tile` is a finished sum of which `count` rows and `cols` columns exist. Not inlined: edges are few.
template <int Rows, int Vectors>
__attribute__((noinline)) void finish_edge_rows(float (&tile)[Rows][4 * Vectors], const TileTask& task,
                                                std::int64_t col, TileRows rows, std::int64_t count,
                                                std::int64_t cols) {
  const GemmEpilogue& epilogue = task.epilogue;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t at = rows[i] + col;
    for (std::int64_t j = 0; j < cols; ++j) {
      float value = tile[i][j];
      if (task.accumulate) value += task.c[at + j];
      if (epilogue.bias) value += epilogue.bias[col + j];
      if (epilogue.scale) value *= epilogue.scale[col + j];
      if (epilogue.residual) value += epilogue.residual[at + j];
      if (epilogue.preactivation) epilogue.preactivation[at + j] = value;
      tile[i][j] = value;
    }
    activation_fwd_f32(epilogue.activation, 0, 4 * Vectors, tile[i], tile[i]);
    if (epilogue.gelu_input) {
      const auto n = static_cast<std::size_t>(cols);
      activation_bwd_f32(Activation::gelu, 0, n, tile[i], epilogue.gelu_input + at, tile[i]);
    }
    std::copy_n(tile[i], cols, task.c + at);
  }
}

/// As finish_tile, where only `cols` of the tile's columns exist.
template <int Rows, int Vectors>
BRAMBLE_INLINE void finish_edge(const Accumulators<Rows, Vectors>& acc, const TileTask& task, std::int64_t col,
                                TileRows rows, std::int64_t count, std::int64_t cols) {
  float tile[Rows][4 * Vectors];
  BRAMBLE_UNROLL
  for (int i = 0; i < Rows; ++i) {
    BRAMBLE_UNROLL
    for (int j = 0; j < Vectors; ++j) vst1q_f32(tile[i] + 4 * j, acc.v[i][j]);
  }
  finish_edge_rows<Rows, Vectors>(tile, task, col, rows, count, cols);
}

}  // namespace bramble::kernels::gemm
