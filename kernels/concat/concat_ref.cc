#include "kernels/concat/concat.h"

namespace bramble::kernels {

void copy_channels_f32_ref(std::size_t row_begin, std::size_t row_end, std::size_t channels, const float* x,
                           std::size_t x_pitch, float* y, std::size_t y_pitch) {
  for (std::size_t row = row_begin; row < row_end; ++row)
    for (std::size_t c = 0; c < channels; ++c) y[row * y_pitch + c] = x ? x[row * x_pitch + c] : 0.0f;
}

}  // namespace bramble::kernels
