// Where a tile of eight rows finds its operands (GemmBlock). Include from _neon.cc files only.
#pragma once

#include <cstdint>

#include "kernels/gemm/gemm.h"
#include "kernels/gemm/whole_tile.h"

namespace bramble::kernels::gemm {

/// Its first depth step, and how far the next one is. The panel that begins at `col` is `width` columns wide.
struct TileSource {
  const float* a;
  const float* b;
  std::int64_t a_step;
  std::int64_t b_step;

  TileSource(const GemmBlock& block, std::int64_t row, std::int64_t col, std::int64_t width)
      : a(block.a_step ? block.a + row : block.a + row * block.depth),
        b(block.b_step ? block.b + col : block.b + col * block.b_depth + block.b_first * width),
        a_step(block.a_step ? block.a_step : kGemmTileRows),
        b_step(block.b_step ? block.b_step : width) {}

  void advance(std::int64_t steps) {
    a += steps * a_step;
    b += steps * b_step;
  }

  void give(WholeTile& tile) const {
    constexpr auto kBytes = static_cast<std::int64_t>(sizeof(float));
    tile.a = a;
    tile.b = b;
    tile.a_step = a_step * kBytes;
    tile.b_step = b_step * kBytes;
  }
};

}  // namespace bramble::kernels::gemm
