#include "kernels/drop_path/drop_path.h"

#include <algorithm>

#include "kernels/simd/partial.h"

namespace bramble::kernels {

void drop_path_f32(float factor, std::size_t begin, std::size_t end, const float* x, const float* addend, float* y) {
  if (factor == 0) {  // x is not even read
    if (addend == nullptr) std::fill(y + begin, y + end, 0.0F);
    else if (addend != y) std::copy(addend + begin, addend + end, y + begin);
    return;
  }
  const float32x4_t scale = vdupq_n_f32(factor);
  for_each_vector(begin, end, [&](auto lanes, std::size_t i) {
    const float32x4_t start = addend != nullptr ? lanes.load(addend + i) : vdupq_n_f32(0);
    lanes.store(y + i, vfmaq_f32(start, lanes.load(x + i), scale));
  });
}

}  // namespace bramble::kernels
