#include "kernels/scale/scale.h"

namespace bramble::kernels {

void scale_fwd_f32_ref(std::size_t row_begin, std::size_t row_end, std::size_t channels, const float* x,
                       const float* gamma, float* y) {
  for (std::size_t r = row_begin; r < row_end; ++r)
    for (std::size_t c = 0; c < channels; ++c) y[r * channels + c] = x[r * channels + c] * gamma[c];
}

void scale_bwd_f32_ref(std::size_t row_begin, std::size_t row_end, std::size_t channels, const float* dy,
                       const float* x, const float* gamma, float* dx, float* dgamma) {
  for (std::size_t c = 0; c < channels; ++c) {
    double sum = 0;
    for (std::size_t i = row_begin * channels + c; i < row_end * channels; i += channels) {
      if (dgamma != nullptr) sum += static_cast<double>(dy[i]) * x[i];
      if (dx != nullptr) dx[i] = dy[i] * gamma[c];
    }
    if (dgamma != nullptr) dgamma[c] = static_cast<float>(sum);
  }
}

}  // namespace bramble::kernels
