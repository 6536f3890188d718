#include "kernels/batchnorm/way_in_neon.h"
#include "kernels/gate/gate.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

/// The first of `extent` positions that the gate's position `i` of `gate_extent` goes to.
std::size_t first_position(std::size_t i, std::size_t extent, std::size_t gate_extent) {
  return (i * extent + gate_extent - 1) / gate_extent;
}

/// The image's pixels that one pixel of the gate goes to.
struct Field {
  std::size_t begin;  ///< pixel
  std::size_t rows;
  std::size_t cols;
};

template <class WayIn, bool kHasDx>
void gate_bwd_pixel(const GateShape& shape, const Field& field, const GateSource& source, const float* dy,
                    const float* gate, float* dx, float* dgate) {
  for_each_vector(0, source.channels, [&](auto lanes, std::size_t c) {
    const WayIn way_in(lanes, source.way_in, c);
    const float32x4_t factor = lanes.load(gate + c);
    float32x4_t sum = vdupq_n_f32(0);
    for (std::size_t r = 0; r < field.rows; ++r) {
      const std::size_t pixel = field.begin + r * shape.width;
      std::size_t at = pixel * shape.channels + source.first + c;
      const float* x = source.x + pixel * source.pitch + c;
      for (std::size_t p = 0; p < field.cols; ++p, at += shape.channels, x += source.pitch) {
        const float32x4_t gradient = lanes.load(dy + at);
        sum = vfmaq_f32(sum, gradient, way_in(lanes.load(x)));
        if constexpr (kHasDx) lanes.store(dx + at, vmulq_f32(gradient, factor));
      }
    }
    if (dgate != nullptr) lanes.store(dgate + c, sum);
  });
}

template <class WayIn, bool kHasDx>
void gate_bwd_row(const GateShape& shape, std::size_t row, const GateSource& source, const float* dy, const float* gate,
                  float* dx, float* dgate) {
  const std::size_t n = row / shape.gate_height, i = row % shape.gate_height;
  const std::size_t top = first_position(i, shape.height, shape.gate_height);
  const std::size_t bottom = first_position(i + 1, shape.height, shape.gate_height);
  for (std::size_t j = 0; j < shape.gate_width; ++j) {
    const std::size_t left = first_position(j, shape.width, shape.gate_width);
    const std::size_t right = first_position(j + 1, shape.width, shape.gate_width);
    const Field field{(n * shape.height + top) * shape.width + left, bottom - top, right - left};
    const std::size_t at = (row * shape.gate_width + j) * shape.channels + source.first;
    float* const sums = dgate != nullptr ? dgate + at : nullptr;
    gate_bwd_pixel<WayIn, kHasDx>(shape, field, source, dy, gate + at, dx, sums);
  }
}

template <class WayIn>
void gate_fwd_row(const GateShape& shape, std::size_t row, const GateSource& source, const float* gate, float* y) {
  const std::size_t n = row / shape.height, gate_row = row % shape.height * shape.gate_height / shape.height;
  const float* const factors = gate + (n * shape.gate_height + gate_row) * shape.gate_width * shape.channels;
  for (std::size_t w = 0; w < shape.width; ++w) {
    const float* const factor = factors + w * shape.gate_width / shape.width * shape.channels + source.first;
    const float* const x = source.x + (row * shape.width + w) * source.pitch;
    float* const to = y + (row * shape.width + w) * shape.channels + source.first;
    for_each_vector(0, source.channels, [&](auto lanes, std::size_t c) {
      const WayIn way_in(lanes, source.way_in, c);
      lanes.store(to + c, vmulq_f32(way_in(lanes.load(x + c)), lanes.load(factor + c)));
    });
  }
}

}  // namespace

void gate_fwd_f32(const GateShape& shape, std::size_t row_begin, std::size_t row_end, const GateSource& source,
                  const float* gate, float* y) {
  dispatch_way_in(source.way_in, [&]<class WayIn>() {
    for (std::size_t row = row_begin; row < row_end; ++row) gate_fwd_row<WayIn>(shape, row, source, gate, y);
  });
}

void gate_bwd_f32(const GateShape& shape, std::size_t row_begin, std::size_t row_end, const float* dy,
                  const GateSource& source, const float* gate, float* dx, float* dgate) {
  dispatch_way_in(source.way_in, [&]<class WayIn>() {
    for (std::size_t row = row_begin; row < row_end; ++row) {
      if (dx != nullptr) gate_bwd_row<WayIn, true>(shape, row, source, dy, gate, dx, dgate);
      else gate_bwd_row<WayIn, false>(shape, row, source, dy, gate, dx, dgate);
    }
  });
}

}  // namespace bramble::kernels
