#include "kernels/column_sum/column_sum.h"

#include <algorithm>

#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

constexpr std::size_t kBlockRows = 64;  // float sums stay this short

struct DoubleSum {
  float64x2_t low = vdupq_n_f64(0);
  float64x2_t high = vdupq_n_f64(0);

  void add(float32x4_t values) {
    low = vaddq_f64(low, vcvt_f64_f32(vget_low_f32(values)));
    high = vaddq_f64(high, vcvt_f64_f32(vget_high_f32(values)));
  }
  float32x4_t rounded() const { return vcombine_f32(vcvt_f32_f64(low), vcvt_f32_f64(high)); }
};

// Sums `Vectors` neighbouring vectors down the rows; 4 of them are a cache line, so that each line is read once.
template <int Vectors, class Lanes>
void sum_columns(const Lanes& lanes, std::size_t row_begin, std::size_t row_end, std::size_t row_stride,
                 const float* x, float* sum) {
  DoubleSum total[Vectors];
  for (std::size_t block = row_begin; block < row_end; block += kBlockRows) {
    const std::size_t block_end = std::min(block + kBlockRows, row_end);
    float32x4_t acc[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) acc[v] = vdupq_n_f32(0);
    for (std::size_t r = block; r < block_end; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) acc[v] = vaddq_f32(acc[v], lanes.load(x + r * row_stride + 4 * v));
    }
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) total[v].add(acc[v]);
  }
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; ++v) lanes.store(sum + 4 * v, total[v].rounded());
}

}  // namespace

void column_sum_f32(std::size_t row_begin, std::size_t row_end, std::size_t column_begin, std::size_t column_end,
                    std::size_t row_stride, const float* x, float* sum) {
  std::size_t c = column_begin;
  for (; c + 16 <= column_end; c += 16) sum_columns<4>(AllLanes{}, row_begin, row_end, row_stride, x + c, sum + c);
  for_each_vector(c, column_end, [&](auto lanes, std::size_t column) {
    sum_columns<1>(lanes, row_begin, row_end, row_stride, x + column, sum + column);
  });
}

}  // namespace bramble::kernels
