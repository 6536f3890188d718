#include "kernels/concat/concat.h"

#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

/// A row: sixteen channels a turn, as both are bound by memory.
template <class Load>
inline void fill_row(std::size_t channels, float* y, Load load) {
  std::size_t c = 0;
  for (; c + 16 <= channels; c += 16) {
    float32x4_t value[4];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < 4; ++v) value[v] = load(AllLanes{}, c + 4 * v);
#pragma GCC unroll 4
    for (std::size_t v = 0; v < 4; ++v) vst1q_f32(y + c + 4 * v, value[v]);
  }
  for_each_vector(c, channels, [&](auto lanes, std::size_t i) { lanes.store(y + i, load(lanes, i)); });
}

}  // namespace

void copy_channels_f32(std::size_t row_begin, std::size_t row_end, std::size_t channels, const float* x,
                       std::size_t x_pitch, float* y, std::size_t y_pitch) {
  for (std::size_t row = row_begin; row < row_end; ++row) {
    float* const to = y + row * y_pitch;
    if (x == nullptr) {
      fill_row(channels, to, [](auto, std::size_t) { return vdupq_n_f32(0); });
    } else {
      const float* const from = x + row * x_pitch;
      fill_row(channels, to, [&](auto lanes, std::size_t c) { return lanes.load(from + c); });
    }
  }
}

}  // namespace bramble::kernels
