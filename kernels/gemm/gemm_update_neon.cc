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
  UpdateTransit(const GemmUpdate& update, const GemmBlock& block) : update_(update), accumulate_(block.accumulate) {
    tile_.turns = block.depth / 4;
    tile_.steps = block.depth % 4;
    tile_.results = gradient_;
    tile_.result_step = kRowBytes;
    if (accumulate_) tile_.sum = {sum_, kRowBytes};
    for (int i = 0; i < kRows; ++i) {
      copies_[kStateBack + i].from = state_ + i * kGemmTileCols;
      copies_[kWeightBack + i].from = weight_ + i * kGemmTileCols;
    }
    add_fetched(weight_);
    if (accumulate_) add_fetched(sum_);
    if (update.state) add_fetched(state_);
    copies_[end_] = {nowhere_, nowhere_};
  }

  gemm::WholeTile& tile() { return tile_; }

  /// Of the tile that begins `at` in the weight; `sum` is of earlier products.
  void begin(std::int64_t at, const float* sum) {
    int slot = kFetched;
    fetch(slot, update_.weight + at);
    if (accumulate_) fetch(slot, sum);
    if (update_.state) fetch(slot, update_.state + at);
    begin_copies(end_);
  }
  void end(std::int64_t at) {
    update_.run(update_.context, gradient_, weight_, update_.state ? state_ : nullptr);
    send(kWeightBack, update_.weight + at);
    if (update_.state) send(kStateBack, update_.state + at);
    first_ = update_.state ? kStateBack : kWeightBack;
  }
  void flush() {
    tile_.turns = 0;
    begin_copies(kFetched);
  }

 private:
  // Copies in the order they are made: what goes back leaves its place before the next tile's comes there.
  enum Slot : int { kStateBack = 0, kWeightBack = kRows, kFetched = 2 * kRows };
  static constexpr std::int64_t kRowBytes = kGemmTileCols * sizeof(float);

  void add_fetched(float* tile) {
    for (int i = 0; i < kRows; ++i) copies_[end_++].to = tile + i * kGemmTileCols;
  }
  void fetch(int& slot, const float* tile) {
    for (int i = 0; i < kRows; ++i) copies_[slot++].from = tile + i * kGemmTileCols;
    for (std::int64_t i = 0; i < kTile; i += 16) __builtin_prefetch(tile + i);
  }
  void send(int slot, float* tile) {
    for (int i = 0; i < kRows; ++i) copies_[slot + i].to = tile + i * kGemmTileCols;
  }
  void begin_copies(int end) {
    const gemm::TileCopy* const last = copies_ + end;
    tile_.take_copies(tile_.run_copies(copies_ + first_, last, tile_.turns), last, tile_.turns);
    first_ = kFetched;
  }

  const GemmUpdate& update_;
  const bool accumulate_;
  gemm::WholeTile tile_;
  gemm::TileCopy copies_[kFetched + 3 * kRows + 1];
  int end_ = kFetched;
  int first_ = kFetched;
  alignas(64) float gradient_[kTile], sum_[kTile], weight_[kTile], state_[kTile];
  float nowhere_[kGemmTileCols] = {};
};

}  // namespace

BRAMBLE_PAGE_ALIGNED void gemm_update_f32(const GemmBlock& block, const GemmUpdate& update) {
  UpdateTransit transit(update, block);
  std::int64_t col = 0;
  for (; col + kGemmTileCols <= block.cols; col += kGemmTileCols) {
    for (std::int64_t row = 0; row < block.rows; row += kRows) {
      gemm::TileSource(block, row, col, kGemmTileCols).give(transit.tile());
      const float* sum = block.c.data + col * block.c.panel_depth + (block.c.first_row + row) * kGemmTileCols;
      const std::int64_t at = col * update.panel_depth + (update.first_row + row) * kGemmTileCols;
      transit.begin(at, sum);
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
