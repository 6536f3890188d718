// What becomes of whole tiles (whole_tile_neon.h) on their way to and from the memory. Include from _neon.cc files
// only.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/activation/activation_neon.h"
#include "kernels/gemm/whole_tile_neon.h"

namespace bramble::kernels::gemm {

/// Floats from row to row of a finished tile that waits: a tile of fewer columns than 12 may wait at its right.
inline constexpr std::int64_t kWaitingStep = kGemmTileCols + 8;

/// From waiting rows to waiting rows.
template <int Rows, int Vectors>
__attribute__((noinline)) void activate_tile(Activation activation, const float* from, float* to) {
  dispatch_activation(activation, [=]<Activation A>() {
    for (int i = 0; i < Rows; ++i) activate_vectors<A, Vectors>(from + i * kWaitingStep, to + i * kWaitingStep);
  });
}

/// The same with the rows of z side by side.
template <int Rows, int Vectors>
__attribute__((noinline)) void gelu_bwd_tile(const float* z, float* dx) {
  for (int i = 0; i < Rows; ++i, z += 4 * Vectors, dx += kWaitingStep) gelu_bwd_vectors<Vectors>(z, dx, dx);
}

/// One tile after the other: a finished one's rows leave for C, and what the next one's epilogue reads comes to L1, a
/// row or two a turn of the next one's products. All at once they would wait for the memory; so would those of a
/// narrower tile at a whole one's right, which leave with it. Where sums break, they wait for their next piece in L1,
/// too. A tile is 12 columns wide, a copy, or 16, of which the second is the other copy's end.
template <int Rows, int Columns = kGemmTileCols>
class TileTransit {
 public:
  /// Of tiles of one task, whose sums have `depth` terms and break after each `depth_step`. A bias comes with the first
  /// products, unless it is the `last` to be added, as where C comes and goes between the pieces.
  TileTransit(const TileTask& task, std::int64_t depth, std::int64_t depth_step, bool last_bias = false)
      : task_(task),
        start_(last_bias ? nullptr : task.start(0)),
        fetches_(task.accumulate || task.epilogue.scale || task.epilogue.residual || task.epilogue.gelu_input ||
                 (task.epilogue.bias && !start_)),
        activates_(task.epilogue.preactivation || task.epilogue.gelu_input ||
                   task.epilogue.activation != Activation::none) {
    if (takes_halves(task.accumulate, depth, depth_step)) {
      take_turns(depth_step);
      tile_.first_half = pieces_[0];
      tile_.sum = {pieces_[0], sizeof(Row)};
    } else {
      take_turns(depth);
    }
    turns_ = tile_.all_turns();
    tile_.plain = !fetches_ && depth_step >= depth && tile_.steps == 0;
    simple_ = !fetches_ && !activates_ && !start_ && turns_ >= kCopies * Rows;
    for (int i = 0; i < kSends; ++i) copies_[i].from = results_[kGroups * Rows - 1 - i / kCopies] + 4 * (i % kCopies);
    if (task.accumulate) add_fetched(sum_);
    if (task.epilogue.residual) add_fetched(residual_);
    if (task.epilogue.gelu_input) add_fetched(gelu_input_);
    copies_[fetches_end_] = {nowhere_, nowhere_};
    wait();
  }

  /// Whether sums that break after `depth_step` terms do so once, in the middle, where a tile can do it by itself.
  static bool takes_halves(bool accumulate, std::int64_t depth, std::int64_t depth_step) {
    return !accumulate && depth > 0 && depth == 2 * depth_step && depth_step % 4 == 0;
  }
  bool in_halves() const { return tile_.first_half; }

  /// Its operands are the caller's to set.
  WholeTile& tile() { return tile_; }

  /// Before the products of a tile whose first column is `col` and whose rows lie at `rows`.
  void begin(std::int64_t col, TileRows rows) {
    if (!simple_) {
      if (start_) tile_.start = start_ + col;
      if (fetches_) fetch_addends(col, rows);
      run_copies(fetches_end_);
    }
    begin_copies(fetches_end_);
  }

  /// Between the two, of a task that does not accumulate: multiply(steps) of each `depth_step` (a multiple of 4) of the
  /// sums' `depth` terms, which are sums of their own, and of what is left.
  template <class Multiply>
  BRAMBLE_INLINE void run_pieces(std::int64_t depth, std::int64_t depth_step, const Multiply& multiply) {
    const Ending ending(tile_);
    Ending(pieces_[0], sizeof(Row), nullptr, {}).give(tile_);
    take_turns(depth_step);
    for (std::int64_t left = depth; left > 0; left -= depth_step) {
      if (left <= depth_step) {
        ending.give(tile_);
        take_turns(left);
      }
      multiply(std::min(left, depth_step));
      tile_.pass_copies();
      tile_.start = kTileOfZeros;
      tile_.sum = {pieces_[0], sizeof(Row)};
    }
    take_turns(depth);
    tile_.sum = {};
  }

  /// After them.
  void end(std::int64_t col, TileRows rows) {
    if (!simple_ && activates_ && activate(col, rows)) return;
    send(0, task_.c + col, rows);
  }

  /// Where a finished tile of `width` (4 or 8) columns from `col` on may leave its rows, kWaitingStep apart, to go the
  /// way of the tile at its left; null where that is not the one that ended last. Copies are 12 floats long, so the ends
  /// of that one's rows go twice.
  float* join(std::int64_t col, std::int64_t width, TileRows rows) {
    static_assert(kCopies == 1);
    const bool one_waits = first_copy_ == copies_ + kSends - Rows && !task_.epilogue.gelu_input;
    if (!one_waits || copies_[kSends - 1].to + kGemmTileCols != task_.c + col + rows[0]) return nullptr;
    BRAMBLE_UNROLL
    for (int i = 0; i < Rows; ++i) copies_[Rows - 1 - i].from = results_[i] + width;
    send(Rows, task_.c + col + width - kGemmTileCols, rows);
    return results_[0] + kGemmTileCols;
  }

  /// Instead of both, and around multiply(), where nothing is in the epilogue and all rows exist, `step` elements
  /// apart: the tile goes to its place at once.
  template <class Multiply>
  BRAMBLE_INLINE void pass(float* to, std::int64_t step, const Multiply& multiply) {
    tile_.results = to;
    tile_.result_step = step * static_cast<std::int64_t>(sizeof(float));
    if (task_.accumulate) tile_.sum = {to, tile_.result_step};
    copies_[kSends].from = nowhere_;
    run_copies(kSends);
    begin_copies(kSends);
    multiply();
    wait();
  }

  /// After the last tile.
  void flush() {
    turns_ = 0;
    run_copies(kSends);
  }

 private:
  using Row = float[Columns];
  using WaitingRow = float[kWaitingStep];

  /// What becomes of complete sums.
  struct Ending {
    Ending(float* rows, std::int64_t step, const float* factors, TileRowsAt addend)
        : results(rows), result_step(step), scale(factors), residual(addend) {}
    explicit Ending(const WholeTile& tile) : Ending(tile.results, tile.result_step, tile.scale, tile.residual) {}
    void give(WholeTile& tile) const {
      tile.results = results;
      tile.result_step = result_step;
      tile.scale = scale;
      tile.residual = residual;
    }
    float* results;
    std::int64_t result_step;
    const float* scale;
    TileRowsAt residual;
  };

  // Results wait for the next tile's products.
  void wait() {
    tile_.results = results_[0];
    tile_.result_step = sizeof(WaitingRow);
  }

  void take_turns(std::int64_t depth) {
    tile_.turns = depth / 4;
    tile_.steps = depth % 4;
  }

  void add_fetched(Row* rows) {
    for (int i = 0; i < kCopies * Rows; ++i) copies_[fetches_end_++].to = rows[i / kCopies] + 4 * (i % kCopies);
  }
  // To the place that add_fetched gave to the Rows slots from `slot` on. Loads that missed would hold up the products:
  // by their turn, after what is sent, rows are here. Where one begins, the tile beside it had its end.
  TileRowsAt fetch(const float* base, TileRows rows, int& slot) {
    TileCopy* const copies = copies_ + slot;
    BRAMBLE_UNROLL
    for (int i = 0; i < Rows; ++i) {
      BRAMBLE_UNROLL
      for (int j = 0; j < kCopies; ++j) copies[kCopies * i + j].from = base + rows[i] + 4 * j;
    }
    BRAMBLE_UNROLL
    for (int i = 0; i < Rows; ++i) __builtin_prefetch(copies[kCopies * i].from + Columns - 1);
    const TileRowsAt fetched{copies[0].to, sizeof(Row)};
    slot += kCopies * Rows;
    return fetched;
  }
  void fetch_addends(std::int64_t col, TileRows rows) {
    const GemmEpilogue& epilogue = task_.epilogue;
    int slot = kSends;
    if (task_.accumulate) tile_.sum = fetch(task_.c + col, rows, slot);
    if (epilogue.bias && !start_) tile_.bias = {epilogue.bias + col, 0};
    if (epilogue.scale) tile_.scale = epilogue.scale + col;
    if (epilogue.residual) tile_.residual = fetch(epilogue.residual + col, rows, slot);
    if (epilogue.gelu_input) fetch(epilogue.gelu_input + col, rows, slot);
  }

  // Returns whether it has sent the rows as well.
  bool activate(std::int64_t col, TileRows rows) {
    const GemmEpilogue& epilogue = task_.epilogue;
    float* const activated = results_[epilogue.preactivation ? Rows : 0];
    if (epilogue.preactivation || epilogue.activation != Activation::none)
      activate_tile<Rows, Columns / 4>(epilogue.activation, results_[0], activated);
    if (epilogue.gelu_input) gelu_bwd_tile<Rows, Columns / 4>(gelu_input_[0], activated);
    if (!epilogue.preactivation) return false;
    send(Rows, task_.c + col, rows);
    send(0, epilogue.preactivation + col, rows);
    return true;
  }
  // Result rows [first, first + Rows), from the last to the first: rows that do not exist have the last one's place,
  // and are overwritten by it.
  void send(int first, float* base, TileRows rows) {
    asm("" : "+r"(base));  // else GCC adds a row's offset and the column before it multiplies them by four
    BRAMBLE_UNROLL
    for (int i = 0; i < Rows; ++i) {
      BRAMBLE_UNROLL
      for (int j = 0; j < kCopies; ++j) copies_[kSends - kCopies * (1 + first + i) + j].to = base + rows[i] + 4 * j;
    }
    first_copy_ -= kCopies * Rows;
  }
  void run_copies(int end) { first_copy_ = WholeTile::run_copies(first_copy_, copies_ + end, turns_); }
  // All copies, up to `end`, are made before the products end. Nothing is then copied to where nothing is, or to a
  // fetched row's place that is not in use.
  void begin_copies(int end) {
    tile_.take_copies(first_copy_, copies_ + end, turns_);
    first_copy_ = copies_ + kSends;
  }

  static constexpr int kCopies = (Columns - kGemmTileCols) / 4 + 1;  // of a row
  static_assert(kCopies == 1 || kCopies == 2);
  static constexpr int kGroups = 2;  // of rows that wait
  static constexpr int kSends = kGroups * kCopies * Rows;

  const TileTask& task_;
  const float* const start_;
  const bool fetches_, activates_;
  WholeTile tile_;
  std::int64_t turns_ = 0;
  bool simple_ = false;  // tiles only go to their place
  TileCopy copies_[kSends + 3 * kCopies * Rows + 1];
  int fetches_end_ = kSends;
  const TileCopy* first_copy_ = copies_ + kSends;
  alignas(64) WaitingRow results_[kGroups * Rows];
  Row pieces_[Rows], sum_[Rows], residual_[Rows], gelu_input_[Rows], nowhere_ = {};
};

}  // namespace bramble::kernels::gemm
