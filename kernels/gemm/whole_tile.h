// What is asked of a register tile that has all its columns, and what else is done while it is multiplied. Include from
// _neon.cc files only.
#pragma once

#include <cstdint>

#include "kernels/simd/neon.h"

namespace bramble::kernels::gemm {

/// Rows of 12 floats, `step` bytes apart.
struct TileRowsAt {
  const float* first = nullptr;
  std::int64_t step = 0;
};

/// Copies of twelve floats.
struct TileCopies {
  static constexpr int kMost = 42;
  const float* from[kMost];
  float* to[kMost];

  void run(std::int64_t i) const {
    for (int j = 0; j < 12; j += 4) vst1q_f32(to[i] + j, vld1q_f32(from[i] + j));
  }
};

/// results = ((start + A * B) + sum + bias) * scale + residual; what is null is left out. `rows` rows of 12 columns.
/// A's and B's places, and what lies where in here, the assembly knows.
struct WholeTile {
  const float* b = nullptr;
  std::int64_t turns = 0;        ///< of four depth steps
  std::int64_t steps = 0;        ///< that remain
  const float* start = nullptr;  ///< 12 floats
  float* results = nullptr;
  std::int64_t result_step = 0;        ///< bytes
  const TileCopies* copies = nullptr;  ///< of which some are made each turn …
  std::int64_t copy = 0;               ///< … from this one on …
  std::int64_t last_copy = 0;          ///< … and this one again and again
  TileRowsAt sum, bias;
  const float* scale = nullptr;
  TileRowsAt residual;
  const void* a = nullptr;
  std::int64_t a_step = 0;  ///< bytes
  std::int64_t b_step = 0;
  std::int64_t copies_a_turn = 1;  ///< or 2

  /// Copies [first, last) are made in the turns that the tile now has, those that do not come by then at once; `last`
  /// goes nowhere.
  void take_copies(std::int64_t first, std::int64_t last) {
    copies_a_turn = last - first > turns ? 2 : 1;
    for (; last - first > copies_a_turn * turns; ++first) copies->run(first);
    copy = first;
    last_copy = last;
  }
  /// The turns are over, others follow.
  void pass_copies() { copy = copy + copies_a_turn * turns < last_copy ? copy + copies_a_turn * turns : last_copy; }
};

inline constexpr float kTileOfZeros[12] = {};

}  // namespace bramble::kernels::gemm
