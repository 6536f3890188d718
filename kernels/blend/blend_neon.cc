#include "kernels/blend/blend.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {

void blend_f32(float keep, float share, std::size_t begin, std::size_t end, float* y, const float* x) {
  const float32x4_t kept = vdupq_n_f32(keep);
  const float32x4_t shared = vdupq_n_f32(share);
  for_each_vector(begin, end, [&](auto lanes, std::size_t i) {
    const float32x4_t added = vmulq_f32(shared, lanes.load(x + i));
    lanes.store(y + i, keep == 0 ? added : vfmaq_f32(added, kept, lanes.load(y + i)));
  });
}

}  // namespace bramble::kernels
