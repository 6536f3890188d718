#include "kernels/sgd/sgd.h"

#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

enum class Kind { plain, momentum, nesterov };

template <Kind K>
void run(const SgdUpdate& update, float scale, std::size_t begin, std::size_t end, float* param, const float* grad,
         float* buffer) {
  const float32x4_t scales = vdupq_n_f32(scale);
  const float32x4_t rate = vdupq_n_f32(update.rate);
  const float32x4_t momentum = vdupq_n_f32(update.momentum);
  const float32x4_t decay = vdupq_n_f32(update.weight_decay);
  for_each_vector(begin, end, [&](auto lanes, std::size_t i) {
    const float32x4_t p = lanes.load(param + i);
    float32x4_t g = vfmaq_f32(vmulq_f32(lanes.load(grad + i), scales), decay, p);
    if constexpr (K != Kind::plain) {
      const float32x4_t moving = vfmaq_f32(g, momentum, lanes.load(buffer + i));
      lanes.store(buffer + i, moving);
      g = K == Kind::nesterov ? vfmaq_f32(g, momentum, moving) : moving;
    }
    lanes.store(param + i, fms_f32(p, rate, g));
  });
}

}  // namespace

void sgd_update_f32(const SgdUpdate& update, float scale, std::size_t begin, std::size_t end, float* param,
                    const float* grad, float* buffer) {
  if (buffer == nullptr) return run<Kind::plain>(update, scale, begin, end, param, grad, nullptr);
  if (update.nesterov) return run<Kind::nesterov>(update, scale, begin, end, param, grad, buffer);
  return run<Kind::momentum>(update, scale, begin, end, param, grad, buffer);
}

}  // namespace bramble::kernels
