#include <cmath>

#include "kernels/adamw/adamw.h"
#include "kernels/simd/partial.h"
#include "kernels/simd/sqrt_neon.h"

namespace bramble::kernels {

void adamw_update_f32(const AdamwUpdate& update, float scale, std::size_t begin, std::size_t end, float* param,
                      const float* grad, float* mean, float* variance) {
  // The constants of all elements, rounded once from double: the corrections lose digits in float.
  const double rate = update.rate;
  const float32x4_t kept = vdupq_n_f32(static_cast<float>(1 - rate * update.weight_decay));
  const float32x4_t step = vdupq_n_f32(static_cast<float>(rate / update.mean_correction));
  const float32x4_t spread = vdupq_n_f32(static_cast<float>(1 / std::sqrt(double{update.variance_correction})));
  const float32x4_t eps = vdupq_n_f32(update.eps);
  const float32x4_t beta1 = vdupq_n_f32(update.beta1);
  const float32x4_t beta2 = vdupq_n_f32(update.beta2);
  const float32x4_t share1 = vdupq_n_f32(static_cast<float>(1 - double{update.beta1}));
  const float32x4_t share2 = vdupq_n_f32(static_cast<float>(1 - double{update.beta2}));
  const float32x4_t scales = vdupq_n_f32(scale);
  for_each_vector(begin, end, [&](auto lanes, std::size_t i) {
    const float32x4_t g = vmulq_f32(lanes.load(grad + i), scales);
    const float32x4_t m = vfmaq_f32(vmulq_f32(share1, g), beta1, lanes.load(mean + i));
    const float32x4_t v = vfmaq_f32(vmulq_f32(share2, vmulq_f32(g, g)), beta2, lanes.load(variance + i));
    lanes.store(mean + i, m);
    lanes.store(variance + i, v);
    const float32x4_t denominator = vfmaq_f32(eps, spread, sqrt_f32(v));
    const float32x4_t decayed = vmulq_f32(kept, lanes.load(param + i));
    lanes.store(param + i, fms_f32(decayed, step, div_f32(m, denominator)));
  });
}

}  // namespace bramble::kernels
