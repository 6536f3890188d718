// What is asked of a register tile that has all its columns, and what else is done while it is multiplied. Include from
// _neon.cc files only.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/simd/neon.h"

namespace bramble::kernels::gemm {

inline constexpr float kTileOfZeros[16] = {};

/// Rows of a tile's columns, `step` bytes apart.
struct TileRowsAt {
  const float* first = nullptr;
  std::int64_t step = 0;
};

/// Of twelve floats.
struct TileCopy {
  const float* from;
  float* to;

  void run() const {
    for (int j = 0; j < 12; j += 4) vst1q_f32(to + j, vld1q_f32(from + j));
  }
};

/// results = ((start + A * B) + sum + bias) * scale + residual; but for the start, what is null is left out. Rows of 12
/// columns, or of 16. A's and B's places, and what lies where in here, the assembly knows.
struct WholeTile {
  const float* a = nullptr;
  std::int64_t a_step = 0;  ///< bytes
  const float* b = nullptr;
  std::int64_t b_step = 0;              ///< bytes
  const float* start = kTileOfZeros;    ///< a row
  std::int64_t turns = 0;               ///< of four depth steps
  const TileCopy* copy = nullptr;       ///< a turn makes one or two, from this one on, …
  const TileCopy* last_copy = nullptr;  ///< … and this one again and again
  std::int64_t second_copy = 0;         ///< bytes from a turn's first copy to its second: 0 where there is but one
  float* first_half = nullptr;          ///< not null: sums break, go here after `turns`, to be `sum`; as many follow
  std::int64_t steps = 0;               ///< of the depth, after all turns
  TileRowsAt sum, bias;
  const float* scale = nullptr;
  TileRowsAt residual;
  float* results = nullptr;
  std::int64_t result_step = 0;  ///< bytes
  std::int64_t plain = 0;        ///< not 0: what comes between the first turns and the results is left out
  // Of 16 columns, which are two panels' of B: where the third and the fourth vector lie; steps in bytes.
  const float* third = nullptr;
  std::int64_t third_step = 0;
  const float* fourth = nullptr;
  std::int64_t fourth_step = 0;

  std::int64_t all_turns() const { return first_half ? 2 * turns : turns; }
  std::int64_t copies_a_turn() const { return second_copy > 0 ? 2 : 1; }

  /// Copies [first, last) are made in so many turns; `last` goes nowhere.
  void take_copies(const TileCopy* first, const TileCopy* last, std::int64_t of_turns) {
    second_copy = last - first > of_turns ? sizeof(TileCopy) : 0;
    copy = first;
    last_copy = last;
  }
  /// Makes those that would not come by in so many turns. Returns the first of the others.
  static const TileCopy* run_copies(const TileCopy* first, const TileCopy* last, std::int64_t of_turns) {
    for (; last - first > 2 * of_turns; ++first) first->run();
    return first;
  }
  /// The turns are over, others follow.
  void pass_copies() { copy += std::min(copies_a_turn() * turns, last_copy - copy); }
};

}  // namespace bramble::kernels::gemm
