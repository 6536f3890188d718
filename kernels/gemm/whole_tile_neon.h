// The register tiles that have all their columns: in assembly on AArch64, elsewhere the same steps in intrinsics, to
// the same bits. Include from _neon.cc files only.
#pragma once

#include "kernels/gemm/whole_tile.h"

#if defined(__aarch64__)
#include "kernels/gemm/whole_tile_aarch64.h"
#include "kernels/gemm/wide_tile_aarch64.h"
#else

#include <cstdint>

#include "kernels/gemm/tile_neon.h"

namespace bramble::kernels::gemm {

namespace whole_tile {

constexpr std::int64_t floats(std::int64_t bytes) { return bytes / static_cast<std::int64_t>(sizeof(float)); }

template <int Rows>
struct RowOffsets {
  std::int64_t at[Rows];

  explicit RowOffsets(std::int64_t step) {
    for (int i = 0; i < Rows; ++i) at[i] = i * floats(step);
  }
};

template <int Rows, int Vectors>
BRAMBLE_INLINE void add(Accumulators<Rows, Vectors>& acc, const TileRowsAt& rows) {
  if (rows.first) add_rows(acc, rows.first, RowOffsets<Rows>(rows.step).at);
}

/// turn(acc, k) is four steps from k on, step(acc, k) one.
template <int Rows, int Vectors, class Turn, class Step>
BRAMBLE_INLINE void run(const WholeTile& tile, Turn turn, Step step) {
  Accumulators<Rows, Vectors> acc;
  begin_tile(acc, tile.start);
  const TileCopy* copy = tile.copy;
  std::int64_t k = 0;
  for (std::int64_t i = 0; i < tile.all_turns(); ++i, k += 4) {
    if (tile.first_half && i == tile.turns) {
      store_rows(acc, tile.first_half, kRowsSideBySide<4 * Vectors>);
      begin_tile(acc, nullptr);
    }
    turn(acc, k);
    for (std::int64_t j = 0; j < tile.copies_a_turn(); ++j) {
      copy->run();
      copy += copy < tile.last_copy;
    }
  }
  if (tile.plain) return store_rows(acc, tile.results, RowOffsets<Rows>(tile.result_step).at);
  for (const std::int64_t end = k + tile.steps; k < end; ++k) step(acc, k);
  add(acc, tile.sum);
  add(acc, tile.bias);
  if (tile.scale) scale_columns(acc, tile.scale);
  add(acc, tile.residual);
  store_rows(acc, tile.results, RowOffsets<Rows>(tile.result_step).at);
}

}  // namespace whole_tile

BRAMBLE_INLINE void multiply_seven_rows(const WholeTile& tile) {
  const float* a[7];
  BRAMBLE_UNROLL
  for (int i = 0; i < 7; ++i) a[i] = tile.a + i * whole_tile::floats(tile.a_step);
  const auto turn = [&](Accumulators<7, 3> & acc, std::int64_t k) __attribute__((always_inline)) {
    float32x4_t steps[7];
    BRAMBLE_UNROLL
    for (int i = 0; i < 7; ++i) steps[i] = vld1q_f32(a[i] + k);
    const float* b = tile.b + 12 * k;
    step_rows<0>(acc, steps, b);
    step_rows<1>(acc, steps, b + 12);
    step_rows<2>(acc, steps, b + 24);
    step_rows<3>(acc, steps, b + 36);
  };
  whole_tile::run<7, 3>(
      tile, turn, [&](Accumulators<7, 3> & acc, std::int64_t k) __attribute__((always_inline)) {
        float32x4_t step[7];
        BRAMBLE_UNROLL
        for (int i = 0; i < 7; ++i) step[i] = vld1q_dup_f32(a[i] + k);
        step_rows<0>(acc, step, tile.b + 12 * k);
      });
}

BRAMBLE_INLINE void multiply_eight_lanes(const WholeTile& tile) {
  const float *a = tile.a, *b = tile.b;
  const std::int64_t a_step = whole_tile::floats(tile.a_step), b_step = whole_tile::floats(tile.b_step);
  const auto step = [&](Accumulators<8, 3> & acc, std::int64_t) __attribute__((always_inline)) {
    step_lanes(acc, a, b);
    a += a_step;
    b += b_step;
  };
  const auto turn = [&](Accumulators<8, 3> & acc, std::int64_t k) __attribute__((always_inline)) {
    BRAMBLE_UNROLL
    for (int i = 0; i < 4; ++i) step(acc, k);
  };
  whole_tile::run<8, 3>(tile, turn, step);
}

BRAMBLE_INLINE void multiply_five_rows(const WholeTile& tile) {
  const float* a[5];
  BRAMBLE_UNROLL
  for (int i = 0; i < 5; ++i) a[i] = tile.a + i * whole_tile::floats(tile.a_step);
  const std::int64_t third_step = whole_tile::floats(tile.third_step);
  const std::int64_t fourth_step = whole_tile::floats(tile.fourth_step);
  const auto step = [&](Accumulators<5, 4> & acc, std::int64_t k) __attribute__((always_inline)) {
    const float* b = tile.b + 12 * k;
    const float32x4_t columns[4] = {vld1q_f32(b), vld1q_f32(b + 4), vld1q_f32(tile.third + k * third_step),
                                    vld1q_f32(tile.fourth + k * fourth_step)};
    BRAMBLE_UNROLL
    for (int i = 0; i < 5; ++i) {
      BRAMBLE_UNROLL
      for (int j = 0; j < 4; ++j) acc.v[i][j] = vfmaq_n_f32(acc.v[i][j], columns[j], a[i][k]);
    }
  };
  const auto turn = [&](Accumulators<5, 4> & acc, std::int64_t k) __attribute__((always_inline)) {
    for (int i = 0; i < 4; ++i) step(acc, k + i);
  };
  whole_tile::run<5, 4>(tile, turn, step);
}

}  // namespace bramble::kernels::gemm

#endif
