#include "kernels/repeat_interleave/repeat_interleave.h"

namespace bramble::kernels {

void repeat_interleave_fwd_f32_ref(std::size_t begin, std::size_t end, std::size_t times, const float* x, float* y) {
  for (std::size_t i = begin; i < end; ++i)
    for (std::size_t t = 0; t < times; ++t) y[times * i + t] = x[i];
}

void repeat_interleave_bwd_f32_ref(std::size_t begin, std::size_t end, std::size_t times, const float* dy, float* dx) {
  for (std::size_t i = begin; i < end; ++i) {
    double sum = 0;
    for (std::size_t t = 0; t < times; ++t) sum += dy[times * i + t];
    dx[i] = static_cast<float>(sum);
  }
}

}  // namespace bramble::kernels
