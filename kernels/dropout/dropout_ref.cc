#include "kernels/dropout/dropout.h"

namespace bramble::kernels {

void dropout_f32_ref(const RandomStream& stream, float rate, std::size_t begin, std::size_t end, const float* x,
                     float* y) {
  for (std::size_t i = begin; i < end; ++i)
    y[i] = stream.word(i) < drop_threshold(rate) ? 0.0F : static_cast<float>(x[i] / (1.0 - rate));
}

}  // namespace bramble::kernels
