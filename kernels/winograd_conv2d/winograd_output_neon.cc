#include <algorithm>

#include "kernels/activation/activation_neon.h"
#include "kernels/winograd_conv2d/winograd_matrices_neon.h"
#include "kernels/winograd_conv2d/winograd_output.h"

namespace bramble::kernels {
namespace {

// One tile's pixels of four channels.
template <class W>
using TilePixels = float32x4_t[W::kOutputs][W::kOutputs];

// pixels = A^T m A, point p being sums[p * point_stride]; columns first (winograd_conv2d.cc says why the order
// matters).
template <class W>
BRAMBLE_INLINE void inverse(const float* sums, std::int64_t point_stride, TilePixels<W>& pixels) {
  float32x4_t columns[W::kOutputs][W::kSide];
  BRAMBLE_UNROLL
  for (int x = 0; x < W::kSide; ++x) {
    float32x4_t m[W::kSide], column[W::kOutputs];
    BRAMBLE_UNROLL
    for (int y = 0; y < W::kSide; ++y) m[y] = vld1q_f32(sums + (y * W::kSide + x) * point_stride);
    W::output_line(m, column);
    BRAMBLE_UNROLL
    for (int y = 0; y < W::kOutputs; ++y) columns[y][x] = column[y];
  }
  BRAMBLE_UNROLL
  for (int y = 0; y < W::kOutputs; ++y) W::output_line(columns[y], pixels[y]);
}

// The first `count` lanes, 1 to 4.
BRAMBLE_INLINE float32x4_t load_lanes(const float* from, int count) {
  if (count == 4) return vld1q_f32(from);
  float lanes[4] = {};
  for (int i = 0; i < count; ++i) lanes[i] = from[i];
  return vld1q_f32(lanes);
}

BRAMBLE_INLINE void store_lanes(float* to, float32x4_t value, int count) {
  if (count == 4) return vst1q_f32(to, value);
  float lanes[4];
  vst1q_f32(lanes, value);
  for (int i = 0; i < count; ++i) to[i] = lanes[i];
}

BRAMBLE_INLINE float32x4_t activate(Activation activation, float32x4_t value) {
  dispatch_activation(activation, [&]<Activation A>() { value = activate_f32x4<A>(value); });
  return value;
}

// Where a tile's pixels lie, and how many of them the image has.
struct TileOutput {
  std::int64_t offset = 0;
  std::int64_t row_stride = 0;
  std::int64_t pixel_stride = 0;
  int rows = 0;
  int cols = 0;
};

template <class W>
void store_pixels(const TilePixels<W>& pixels, const TileOutput& tile, std::int64_t channel, int lanes,
                  const GemmEpilogue& epilogue, float* y) {
  const float32x4_t bias = epilogue.bias ? load_lanes(epilogue.bias + channel, lanes) : vdupq_n_f32(0);
  for (int row = 0; row < tile.rows; ++row) {
    std::int64_t at = tile.offset + row * tile.row_stride + channel;
    for (int col = 0; col < tile.cols; ++col, at += tile.pixel_stride) {
      float32x4_t value = vaddq_f32(pixels[row][col], bias);
      if (epilogue.residual) value = vaddq_f32(value, load_lanes(epilogue.residual + at, lanes));
      if (epilogue.preactivation) store_lanes(epilogue.preactivation + at, value, lanes);
      store_lanes(y + at, activate(epilogue.activation, value), lanes);
    }
  }
}

// A whole tile without an epilogue.
template <class W>
BRAMBLE_INLINE void store_whole(const TilePixels<W>& pixels, const TileOutput& tile, std::int64_t channel, float* y) {
  float* line = y + tile.offset + channel;
  BRAMBLE_UNROLL
  for (int row = 0; row < W::kOutputs; ++row, line += tile.row_stride) {
    float* pixel = line;
    BRAMBLE_UNROLL
    for (int col = 0; col < W::kOutputs; ++col, pixel += tile.pixel_stride) vst1q_f32(pixel, pixels[row][col]);
  }
}

bool is_plain(const GemmEpilogue& epilogue) {
  return !epilogue.bias && !epilogue.residual && !epilogue.preactivation && epilogue.activation == Activation::none;
}

template <class W>
TileOutput output_of(const WinogradTiles& t, std::int64_t tile) {
  const std::int64_t tx = tile % t.tiles_x, ty = tile / t.tiles_x % t.tiles_y, n = tile / t.tiles_x / t.tiles_y;
  const std::int64_t y = ty * W::kOutputs, x = tx * W::kOutputs;
  TileOutput out;
  out.offset = ((n * t.height + y) * t.width + x) * t.channels;
  out.row_stride = t.width * t.channels;
  out.pixel_stride = t.channels;
  out.rows = static_cast<int>(std::min<std::int64_t>(W::kOutputs, t.height - y));
  out.cols = static_cast<int>(std::min<std::int64_t>(W::kOutputs, t.width - x));
  return out;
}

template <class W>
void output(const WinogradTiles& tiles, const float* sums, std::int64_t point_stride, std::int64_t row_stride,
            const WinogradBlock& block, const GemmEpilogue& epilogue, float* y) {
  const bool plain = is_plain(epilogue);
  for (std::int64_t i = 0; i < block.tiles(); ++i, sums += row_stride) {
    const TileOutput tile = output_of<W>(tiles, block.tile_begin + i);
    const bool whole = plain && tile.rows == W::kOutputs && tile.cols == W::kOutputs;
    const std::int64_t channels = block.channels();
    for (std::int64_t c = 0; c < channels; c += 4) {
      TilePixels<W> pixels;
      inverse<W>(sums + c, point_stride, pixels);
      if (whole && c + 4 <= channels) {
        store_whole<W>(pixels, tile, block.channel_begin + c, y);
      } else {
        store_pixels<W>(pixels, tile, block.channel_begin + c,
                        static_cast<int>(std::min<std::int64_t>(4, channels - c)), epilogue, y);
      }
    }
  }
}

}  // namespace

void winograd_inverse_f32(WinogradTile tile, const WinogradTiles& tiles, const float* sums, std::int64_t point_stride,
                          std::int64_t row_stride, const WinogradBlock& block, const GemmEpilogue& epilogue, float* y) {
  with_winograd(tile, [&](auto w) { output<decltype(w)>(tiles, sums, point_stride, row_stride, block, epilogue, y); });
}

}  // namespace bramble::kernels
