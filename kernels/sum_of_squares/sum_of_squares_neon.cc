#include "kernels/simd/partial.h"
#include "kernels/sum_of_squares/sum_of_squares.h"

namespace bramble::kernels {

double sum_of_squares_f32(std::size_t begin, std::size_t end, const float* x) {
  float64x2_t low = vdupq_n_f64(0);
  float64x2_t high = vdupq_n_f64(0);
  for_each_vector(begin, end, [&](auto lanes, std::size_t i) {
    const float32x4_t v = lanes.load(x + i);
    const float64x2_t first = vcvt_f64_f32(vget_low_f32(v));
    const float64x2_t second = vcvt_f64_f32(vget_high_f32(v));
    low = vaddq_f64(low, vmulq_f64(first, first));
    high = vaddq_f64(high, vmulq_f64(second, second));
  });
  return vaddvq_f64(vaddq_f64(low, high));
}

}  // namespace bramble::kernels
