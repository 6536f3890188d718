#include "kernels/transpose/transpose.h"

#include <algorithm>

#include "kernels/gemm/pack_rows_neon.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

// A tile is 16 x 16: whole cache lines of both matrices, 16 of each in L1 at a time whatever their strides.
constexpr std::size_t kTile = 16;

struct Matrices {
  const TransposeShape& shape;
  const float* x;
  const float* addend;
  float* y;

  // y[j][i] of four rows j and, as lanes, four columns i.
  template <class Lanes>
  void store(const Lanes& lanes, std::size_t j, std::size_t i, float32x4_t value) const {
    const std::size_t at = j * shape.rows + i;
    lanes.store(y + at, addend != nullptr ? vaddq_f32(value, lanes.load(addend + at)) : value);
  }
};

// Four rows j of y and the columns i that `lanes` says, all of which exist.
template <class Lanes>
inline void block(const Lanes& lanes, const Matrices& m, std::size_t j, std::size_t i, std::size_t width) {
  float32x4_t r[4];
  for (std::size_t k = 0; k < 4; ++k)
    r[k] = k < width ? vld1q_f32(m.x + (i + k) * m.shape.cols + j) : vdupq_n_f32(0);
  transpose_4x4_f32(r);
  for (std::size_t k = 0; k < 4; ++k) m.store(lanes, j + k, i, r[k]);
}

void tile(const Matrices& m, std::size_t j_begin, std::size_t j_end, std::size_t i_begin, std::size_t i_end) {
  std::size_t j = j_begin;
  for (; j + 4 <= j_end; j += 4)
    for_each_vector(i_begin, i_end, [&](auto lanes, std::size_t i) {
      block(lanes, m, j, i, std::min<std::size_t>(4, i_end - i));
    });
  for (; j < j_end; ++j) {
    for (std::size_t i = i_begin; i < i_end; ++i) {
      const std::size_t at = j * m.shape.rows + i;
      m.y[at] = m.x[i * m.shape.cols + j] + (m.addend != nullptr ? m.addend[at] : 0);
    }
  }
}

}  // namespace

void transpose_fwd_f32(const TransposeShape& shape, std::size_t begin, std::size_t end, const float* x,
                       const float* addend, float* y) {
  const Matrices matrices{shape, x, addend, y};
  for (std::size_t j = begin; j < end; j += kTile)
    for (std::size_t i = 0; i < shape.rows; i += kTile)
      tile(matrices, j, std::min(j + kTile, end), i, std::min(i + kTile, shape.rows));
}

}  // namespace bramble::kernels
