#include <algorithm>
#include <iterator>
#include <type_traits>

#include "kernels/gemm/pack_rows_neon.h"
#include "kernels/winograd_conv2d/winograd_matrices_neon.h"
#include "kernels/winograd_conv2d/winograd_tiles.h"

namespace bramble::kernels {
namespace {

constexpr int kPanelTiles = kGemmTileRows;
// Channels at a time: two cache lines of each pixel; their points of eight tiles, 12 KiB, stay in L1.
constexpr std::int64_t kChunk = 32;
constexpr int kMaxSide = 6;

// Where a tile's window lies.
struct Window {
  std::int64_t y = 0;
  std::int64_t x = 0;
  std::int64_t offset = 0;  // of its first pixel, which may lie outside the image
  bool inside = false;
};

Window window_of(const WinogradTiles& t, std::int64_t tile, int side) {
  const std::int64_t tx = tile % t.tiles_x, ty = tile / t.tiles_x % t.tiles_y, n = tile / t.tiles_x / t.tiles_y;
  Window w;
  w.y = ty * t.step + t.first;
  w.x = tx * t.step + t.first;
  w.offset = ((n * t.height + w.y) * t.width + w.x) * t.channels;
  w.inside = w.y >= 0 && w.x >= 0 && w.y + side <= t.height && w.x + side <= t.width;
  return w;
}

// Some channels of a window's pixels, in whole vectors.
struct Pixels {
  const float* data = nullptr;
  std::int64_t row_stride = 0;
  std::int64_t pixel_stride = 0;
};

// In place where the window and the last vector lie inside the image's data, or else copied with its zeros.
template <int Side>
BRAMBLE_INLINE Pixels pixels_of(const WinogradTiles& t, const float* source, const Window& w, std::int64_t channel,
                                std::int64_t count, float* copy) {
  if (w.inside && count % 4 == 0) {
    return {source + w.offset + channel, t.width * t.channels, t.channels};
  }
  for (int y = 0; y < Side; ++y) {
    for (int x = 0; x < Side; ++x) {
      float* to = copy + (y * Side + x) * kChunk;
      if (w.y + y < 0 || w.y + y >= t.height || w.x + x < 0 || w.x + x >= t.width) {
        for (std::int64_t c = 0; c < count; c += 4) vst1q_f32(to + c, vdupq_n_f32(0));
        continue;
      }
      const float* from = source + w.offset + (y * t.width + x) * t.channels + channel;
      if (count % 4 != 0) vst1q_f32(to + count / 4 * 4, vdupq_n_f32(0));
      copy_run_f32(from, count, to);
    }
  }
  return {copy, Side * kChunk, kChunk};
}

template <class W>
BRAMBLE_INLINE void store_line(const float32x4_t (&line)[W::kSide], float* to, std::int64_t stride) {
  BRAMBLE_UNROLL
  for (int x = 0; x < W::kSide; ++x, to += stride) vst1q_f32(to, line[x]);
}

// Both rows of one pair of B^T d B for `count` channels, vector v of a point to place(v) of its panels.
template <class W, int Pair, class Place>
BRAMBLE_INLINE void input_points(const Pixels& d, std::int64_t count, float* to, const WinogradPointStrides& strides,
                                 Place place) {
  for (std::int64_t c = 0; c < count; c += 4) {
    float32x4_t first[W::kSide], second[W::kSide];
    BRAMBLE_UNROLL
    for (int x = 0; x < W::kSide; ++x) {
      W::template input_rows<Pair>(d.data + x * d.pixel_stride + c, d.row_stride, first[x], second[x]);
    }
    W::input_line(first);
    W::input_line(second);
    float* vector = to + place(c);
    store_line<W>(first, vector + strides.first_row, strides.point);
    store_line<W>(second, vector + strides.second_row, strides.point);
  }
}

// The same of A dY A^T.
template <class W, int Pair, class Place>
BRAMBLE_INLINE void gradient_points(const Pixels& dy, std::int64_t count, float* to,
                                    const WinogradPointStrides& strides, Place place) {
  for (std::int64_t c = 0; c < count; c += 4) {
    float32x4_t first[W::kOutputs], second[W::kOutputs], line[W::kSide];
    BRAMBLE_UNROLL
    for (int x = 0; x < W::kOutputs; ++x) {
      W::template gradient_rows<Pair>(dy.data + x * dy.pixel_stride + c, dy.row_stride, first[x], second[x]);
    }
    float* vector = to + place(c);
    W::gradient_line(first, line);
    store_line<W>(line, vector + strides.first_row, strides.point);
    W::gradient_line(second, line);
    store_line<W>(line, vector + strides.second_row, strides.point);
  }
}

// from[tile][kChunk] to panel[channel][tile], eight tiles.
void interleave_tiles(const float* from, std::int64_t count, float* panel) {
  std::int64_t c = 0;
  for (; c + 4 <= count; c += 4) {
    BRAMBLE_UNROLL
    for (int q = 0; q < 2; ++q) {
      const float* source = from + 4 * q * kChunk + c;
      float32x4_t r[4] = {vld1q_f32(source), vld1q_f32(source + kChunk), vld1q_f32(source + 2 * kChunk),
                          vld1q_f32(source + 3 * kChunk)};
      transpose_4x4_f32(r);
      BRAMBLE_UNROLL
      for (int i = 0; i < 4; ++i) vst1q_f32(panel + (c + i) * kPanelTiles + 4 * q, r[i]);
    }
  }
  for (; c < count; ++c) {
    for (int i = 0; i < kPanelTiles; ++i) panel[c * kPanelTiles + i] = from[i * kChunk + c];
  }
}

template <class W, int Pair>
void pack_input(const WinogradTiles& tiles, const float* x, const WinogradBlock& block, float* panels,
                const WinogradPointStrides& strides) {
  constexpr int kPoints = 2 * W::kSide;
  constexpr std::int64_t kPoint = kPanelTiles * kChunk;
  constexpr WinogradPointStrides kLocal{0, W::kSide * kPoint, kPoint};
  alignas(64) float points[kPoints * kPoint];
  alignas(64) float copy[kMaxSide * kMaxSide * kChunk];
  for (std::int64_t tile = block.tile_begin; tile < block.tile_end; tile += kPanelTiles) {
    const int count = static_cast<int>(std::min<std::int64_t>(kPanelTiles, block.tile_end - tile));
    if (count < kPanelTiles) std::fill_n(points, std::size(points), 0.0f);
    Window windows[kPanelTiles];
    for (int i = 0; i < count; ++i) windows[i] = window_of(tiles, tile + i, W::kSide);
    for (std::int64_t c = block.channel_begin; c < block.channel_end; c += kChunk) {
      const std::int64_t channels = std::min(kChunk, block.channel_end - c);
      for (int i = 0; i < count; ++i) {
        input_points<W, Pair>(pixels_of<W::kSide>(tiles, x, windows[i], c, channels, copy), channels,
                              points + i * kChunk, kLocal, [](std::int64_t v) { return v; });
      }
      float* to = panels + (c - block.channel_begin) * kPanelTiles;
      for (int p = 0; p < kPoints; ++p) {
        const std::int64_t row = p < W::kSide ? strides.first_row : strides.second_row;
        interleave_tiles(points + p * kPoint, channels, to + row + p % W::kSide * strides.point);
      }
    }
    panels += block.channels() * kPanelTiles;
  }
}

// Panels of Width channels, the last one as wide as round_up(the rest, 4) or, for `whole` ones, as the others.
template <int Width, bool Whole, int Side, class Points>
BRAMBLE_INLINE void pack_channels(const WinogradTiles& tiles, const float* source, const WinogradBlock& block,
                                  const WinogradDepth& depth, float* panels, Points points) {
  alignas(64) float copy[kMaxSide * kMaxSide * kChunk];
  for (std::int64_t i = 0; i < block.tiles(); ++i) {
    const Window window = window_of(tiles, block.tile_begin + i, Side);
    for (std::int64_t c = 0; c < block.channels(); c += kChunk) {
      const std::int64_t count = std::min(kChunk, block.channels() - c);
      points(pixels_of<Side>(tiles, source, window, block.channel_begin + c, count, copy), count, panels,
             [&](std::int64_t v) {
               const std::int64_t panel = (c + v) / Width * Width;
               const std::int64_t width =
                   Whole ? Width : std::min<std::int64_t>(Width, round_up(block.channels() - panel, 4));
               return panel * depth.depth + (depth.first + i) * width + (c + v - panel);
             });
    }
  }
}

template <class W, int Pair>
void pack_input_trans(const WinogradTiles& tiles, const float* x, const WinogradBlock& block,
                      const WinogradDepth& depth, float* panels, const WinogradPointStrides& strides) {
  pack_channels<kGemmTileRows, true, W::kSide>(tiles, x, block, depth, panels,
                                               [&](const Pixels& d, std::int64_t count, float* to, auto place) {
                                                 input_points<W, Pair>(d, count, to, strides, place);
                                               });
  const std::int64_t written = round_up(block.channels(), 4);
  if (written % kGemmTileRows == 0) return;
  for (int p = 0; p < 2 * W::kSide; ++p) {
    const std::int64_t row = p < W::kSide ? strides.first_row : strides.second_row;
    float* upper = panels + row + p % W::kSide * strides.point + written / kGemmTileRows * kGemmTileRows * depth.depth +
                   depth.first * kGemmTileRows + 4;
    for (std::int64_t i = 0; i < block.tiles(); ++i) vst1q_f32(upper + i * kGemmTileRows, vdupq_n_f32(0));
  }
}

template <class W, int Pair>
void pack_gradient(const WinogradTiles& tiles, const float* dy, const WinogradBlock& block, const WinogradDepth& depth,
                   float* panels, const WinogradPointStrides& strides) {
  pack_channels<kGemmTileCols, false, W::kOutputs>(tiles, dy, block, depth, panels,
                                                   [&](const Pixels& d, std::int64_t count, float* to, auto place) {
                                                     gradient_points<W, Pair>(d, count, to, strides, place);
                                                   });
}

// body(Winograd<tile>(), integral_constant<pair>).
template <class Body>
void with_pair(WinogradTile tile, int pair, Body body) {
  with_winograd(tile, [&](auto w) {
    switch (pair) {
      case 0:
        return body(w, std::integral_constant<int, 0>());
      case 1:
        return body(w, std::integral_constant<int, 1>());
      default:
        if constexpr (decltype(w)::kPairs == 3) body(w, std::integral_constant<int, 2>());
    }
  });
}

}  // namespace

void winograd_pack_input_f32(WinogradTile tile, int pair, const WinogradTiles& tiles, const float* x,
                             const WinogradBlock& block, float* panels, const WinogradPointStrides& strides) {
  with_pair(tile, pair,
            [&](auto w, auto p) { pack_input<decltype(w), decltype(p)::value>(tiles, x, block, panels, strides); });
}

void winograd_pack_input_trans_f32(WinogradTile tile, int pair, const WinogradTiles& tiles, const float* x,
                                   const WinogradBlock& block, const WinogradDepth& depth, float* panels,
                                   const WinogradPointStrides& strides) {
  with_pair(tile, pair, [&](auto w, auto p) {
    pack_input_trans<decltype(w), decltype(p)::value>(tiles, x, block, depth, panels, strides);
  });
}

void winograd_pack_gradient_f32(WinogradTile tile, int pair, const WinogradTiles& tiles, const float* dy,
                                const WinogradBlock& block, const WinogradDepth& depth, float* panels,
                                const WinogradPointStrides& strides) {
  with_pair(tile, pair, [&](auto w, auto p) {
    pack_gradient<decltype(w), decltype(p)::value>(tiles, dy, block, depth, panels, strides);
  });
}

}  // namespace bramble::kernels
