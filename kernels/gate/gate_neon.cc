#include "kernels/gate/gate.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

/// The first of `extent` positions that the gate's position `i` of `gate_extent` goes to.
std::size_t first_position(std::size_t i, std::size_t extent, std::size_t gate_extent) {
  return (i * extent + gate_extent - 1) / gate_extent;
}

/// The pixels that one pixel of the gate goes to.
struct Field {
  std::size_t begin;      ///< elements, at the first
  std::size_t rows;
  std::size_t cols;
  std::size_t row_pitch;  ///< elements
  std::size_t channels;
};

template <bool kHasDx>
void gate_bwd_pixel(const Field& field, const float* dy, const float* x, const float* gate, float* dx, float* dgate) {
  for_each_vector(0, field.channels, [&](auto lanes, std::size_t c) {
    const float32x4_t factor = lanes.load(gate + c);
    float32x4_t sum = vdupq_n_f32(0);
    for (std::size_t r = 0; r < field.rows; ++r) {
      std::size_t at = field.begin + r * field.row_pitch + c;
      for (std::size_t p = 0; p < field.cols; ++p, at += field.channels) {
        const float32x4_t gradient = lanes.load(dy + at);
        sum = vfmaq_f32(sum, gradient, lanes.load(x + at));
        if constexpr (kHasDx) lanes.store(dx + at, vmulq_f32(gradient, factor));
      }
    }
    if (dgate != nullptr) lanes.store(dgate + c, sum);
  });
}

}  // namespace

void gate_fwd_f32(const GateShape& shape, std::size_t row_begin, std::size_t row_end, const float* x,
                  const float* gate, float* y) {
  for (std::size_t row = row_begin; row < row_end; ++row) {
    const std::size_t n = row / shape.height, gate_row = row % shape.height * shape.gate_height / shape.height;
    const float* const factors = gate + (n * shape.gate_height + gate_row) * shape.gate_width * shape.channels;
    for (std::size_t w = 0; w < shape.width; ++w) {
      const float* const factor = factors + w * shape.gate_width / shape.width * shape.channels;
      const std::size_t at = (row * shape.width + w) * shape.channels;
      for_each_vector(0, shape.channels, [&](auto lanes, std::size_t c) {
        lanes.store(y + at + c, vmulq_f32(lanes.load(x + at + c), lanes.load(factor + c)));
      });
    }
  }
}

void gate_bwd_f32(const GateShape& shape, std::size_t row_begin, std::size_t row_end, const float* dy, const float* x,
                  const float* gate, float* dx, float* dgate) {
  const std::size_t row_pitch = shape.width * shape.channels;
  for (std::size_t row = row_begin; row < row_end; ++row) {
    const std::size_t n = row / shape.gate_height, i = row % shape.gate_height;
    const std::size_t top = first_position(i, shape.height, shape.gate_height);
    const std::size_t bottom = first_position(i + 1, shape.height, shape.gate_height);
    for (std::size_t j = 0; j < shape.gate_width; ++j) {
      const std::size_t left = first_position(j, shape.width, shape.gate_width);
      const std::size_t right = first_position(j + 1, shape.width, shape.gate_width);
      const Field field{(n * shape.height + top) * row_pitch + left * shape.channels, bottom - top, right - left,
                        row_pitch, shape.channels};
      const std::size_t at = (row * shape.gate_width + j) * shape.channels;
      float* const sums = dgate != nullptr ? dgate + at : nullptr;
      if (dx != nullptr) gate_bwd_pixel<true>(field, dy, x, gate + at, dx, sums);
      else gate_bwd_pixel<false>(field, dy, x, gate + at, dx, sums);
    }
  }
}

}  // namespace bramble::kernels
