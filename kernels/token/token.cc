#include "kernels/token/token.h"

#include <algorithm>

namespace bramble::kernels {

void prepend_token_fwd_f32(std::size_t begin, std::size_t end, std::size_t length, std::size_t channels,
                           const float* x, const float* token, float* y) {
  const std::size_t size = length * channels;
  for (std::size_t n = begin; n < end; ++n) {
    float* sample = y + n * (size + channels);
    std::copy_n(token, channels, sample);
    std::copy_n(x + n * size, size, sample + channels);
  }
}

void prepend_token_bwd_f32(std::size_t begin, std::size_t end, std::size_t length, std::size_t channels,
                           const float* dy, float* dx) {
  const std::size_t size = length * channels;
  for (std::size_t n = begin; n < end; ++n) std::copy_n(dy + n * (size + channels) + channels, size, dx + n * size);
}

void select_token_fwd_f32(std::size_t begin, std::size_t end, std::size_t length, std::size_t channels,
                          std::size_t index, const float* x, float* y) {
  for (std::size_t n = begin; n < end; ++n)
    std::copy_n(x + (n * length + index) * channels, channels, y + n * channels);
}

void select_token_bwd_f32(std::size_t begin, std::size_t end, std::size_t length, std::size_t channels,
                          std::size_t index, const float* dy, float* dx) {
  for (std::size_t n = begin; n < end; ++n) {
    float* sample = dx + n * length * channels;
    std::fill_n(sample, length * channels, 0.0f);
    std::copy_n(dy + n * channels, channels, sample + index * channels);
  }
}

}  // namespace bramble::kernels
