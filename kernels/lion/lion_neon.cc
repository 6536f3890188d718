#include "kernels/lion/lion.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

/// `magnitude` with x's sign; 0 where x is 0.
float32x4_t signed_f32(float32x4_t x, float32x4_t magnitude) {
  const float32x4_t zero = vdupq_n_f32(0);
  const float32x4_t positive = vbslq_f32(vcgtq_f32(x, zero), magnitude, zero);
  return vbslq_f32(vcltq_f32(x, zero), vnegq_f32(magnitude), positive);
}

}  // namespace

void lion_update_f32(const LionUpdate& update, float scale, std::size_t begin, std::size_t end, float* param,
                     const float* grad, float* mean) {
  const float32x4_t rate = vdupq_n_f32(update.rate);
  const float32x4_t kept = vdupq_n_f32(static_cast<float>(1 - double{update.rate} * update.weight_decay));
  const float32x4_t beta1 = vdupq_n_f32(update.beta1);
  const float32x4_t beta2 = vdupq_n_f32(update.beta2);
  const float32x4_t share1 = vdupq_n_f32(static_cast<float>(1 - double{update.beta1}));
  const float32x4_t share2 = vdupq_n_f32(static_cast<float>(1 - double{update.beta2}));
  const float32x4_t scales = vdupq_n_f32(scale);
  for_each_vector(begin, end, [&](auto lanes, std::size_t i) {
    const float32x4_t g = vmulq_f32(lanes.load(grad + i), scales);
    const float32x4_t m = lanes.load(mean + i);
    const float32x4_t direction = vfmaq_f32(vmulq_f32(share1, g), beta1, m);
    lanes.store(param + i, vsubq_f32(vmulq_f32(kept, lanes.load(param + i)), signed_f32(direction, rate)));
    lanes.store(mean + i, vfmaq_f32(vmulq_f32(share2, g), beta2, m));
  });
}

}  // namespace bramble::kernels
