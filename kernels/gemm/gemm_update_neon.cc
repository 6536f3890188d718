// A weight's gradient that becomes the weight's update tile by tile.
#include <algorithm>

#include "kernels/gemm/gemm.h"
#include "kernels/gemm/tile_source.h"
#include "kernels/gemm/whole_tile_neon.h"

namespace bramble::kernels {
namespace {

constexpr int kRows = kGemmTileRows;
constexpr std::int64_t kTile = kRows * kGemmTileCols;

/// As gemm::TileTransit: while a tile is multiplied the one before goes back, updated, and its own weights come.
class UpdateTransit {
 public:
  UpdateTransit(const GemmUpdate& update, std::int64_t depth) : update_(update) {
    tile_.turns = depth / 4;
    tile_.steps = depth % 4;
    tile_.copies = &copies_;
    tile_.start = gemm::kTileOfZeros;
    tile_.results = gradient_;
    tile_.result_step = kRowBytes;
    for (int i = 0; i < kRows; ++i) {
      copies_.from[kStateBack + i] = copies_.to[kState + i] = state_ + i * kGemmTileCols;
      copies_.from[kWeightBack + i] = copies_.to[kWeight + i] = weight_ + i * kGemmTileCols;
    }
    copies_.from[kEnd] = copies_.to[kEnd] = nowhere_;
    copies_.from[kState] = nowhere_;  // what is copied after the last weight where there is no state
  }

  gemm::WholeTile& tile() { return tile_; }

  /// Of the tile that begins `at` in the weight; `sum` is of earlier products, or null.
  void begin(std::int64_t at, const float* sum) {
    tile_.sum = {sum, kRowBytes};
    fetch(kWeight, update_.weight + at);
    if (update_.state) fetch(kState, update_.state + at);
    begin_copies(update_.state ? kEnd : kState, tile_.turns);
  }
  void end(std::int64_t at) {
    update_.run(update_.context, gradient_, weight_, update_.state ? state_ : nullptr);
    for (int i = 0; i < kRows; ++i) copies_.to[kWeightBack + i] = update_.weight + at + i * kGemmTileCols;
    first_ = kWeightBack;
    if (!update_.state) return;
    for (int i = 0; i < kRows; ++i) copies_.to[kStateBack + i] = update_.state + at + i * kGemmTileCols;
    first_ = kStateBack;
  }
  void flush() { begin_copies(kWeight, 0); }

 private:
  // Copies in the order they are made: what goes back leaves its place before the next tile's comes there.
  enum Slot : int { kStateBack = 0, kWeightBack = kRows, kWeight = 2 * kRows, kState = 3 * kRows, kEnd = 4 * kRows };
  static constexpr std::int64_t kRowBytes = kGemmTileCols * sizeof(float);
  static_assert(kEnd < gemm::TileCopies::kMost);

  void fetch(Slot slot, const float* tile) {
    for (int i = 0; i < kRows; ++i) copies_.from[slot + i] = tile + i * kGemmTileCols;
    for (std::int64_t i = 0; i < kTile; i += 16) __builtin_prefetch(tile + i);
  }
  void begin_copies(std::int64_t end, std::int64_t turns) {
    tile_.copy = first_;
    tile_.last_copy = end;
    for (; end - tile_.copy > turns; ++tile_.copy) copies_.run(tile_.copy);
    first_ = kWeight;
  }

  const GemmUpdate& update_;
  gemm::WholeTile tile_;
  gemm::TileCopies copies_;
  std::int64_t first_ = kWeight;
  alignas(64) float gradient_[kTile], weight_[kTile], state_[kTile];
  float nowhere_[kGemmTileCols] = {};
};

}  // namespace

BRAMBLE_PAGE_ALIGNED void gemm_update_f32(const GemmBlock& block, const GemmUpdate& update) {
  UpdateTransit transit(update, block.depth);
  std::int64_t col = 0;
  for (; col + kGemmTileCols <= block.cols; col += kGemmTileCols) {
    for (std::int64_t row = 0; row < block.rows; row += kRows) {
      gemm::TileSource(block, row, col, kGemmTileCols).give(transit.tile());
      const float* sum = block.c.data + col * block.c.panel_depth + (block.c.first_row + row) * kGemmTileCols;
      const std::int64_t at = col * update.panel_depth + (update.first_row + row) * kGemmTileCols;
      transit.begin(at, block.accumulate ? sum : nullptr);
      gemm::multiply_eight_lanes(transit.tile());
      transit.end(at);
    }
  }
  transit.flush();
  if (col == block.cols) return;
  GemmBlock rest = block;
  rest.cols -= col;
  rest.b += block.b_step ? col : col * block.b_depth;
  rest.c.data += col * block.c.panel_depth;
  gemm_block_f32(rest);
}

}  // namespace bramble::kernels
