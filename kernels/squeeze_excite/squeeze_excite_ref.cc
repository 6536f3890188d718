#include "kernels/squeeze_excite/squeeze_excite.h"

namespace bramble::kernels {
namespace {

double value(const SqueezeExciteSource& source, std::size_t pixel, std::size_t c) {
  const double x = source.x[pixel * source.channels + c];
  if (source.way_in == nullptr) return x;
  const BatchnormAffine& affine = source.way_in->affine;
  return activation_ref(source.way_in->activation, (x - affine.mean[c]) * affine.scale[c] + affine.beta[c]);
}

}  // namespace

void squeeze_excite_fwd_pool_f32_ref(const SqueezeExciteSource& source, std::size_t pixels, double* sums) {
  for (std::size_t c = 0; c < source.channels; ++c) {
    sums[c] = 0;
    for (std::size_t p = 0; p < pixels; ++p) sums[c] += value(source, p, c);
  }
}

void squeeze_excite_fwd_scale_f32_ref(const SqueezeExciteSource& source, std::size_t pixels, const float* gate,
                                      float* y) {
  for (std::size_t p = 0; p < pixels; ++p)
    for (std::size_t c = 0; c < source.channels; ++c)
      y[p * source.channels + c] = static_cast<float>(value(source, p, c) * gate[c]);
}

void squeeze_excite_bwd_gate_f32_ref(const SqueezeExciteSource& source, std::size_t pixels, const float* dy,
                                     double* sums) {
  for (std::size_t c = 0; c < source.channels; ++c) {
    sums[c] = 0;
    for (std::size_t p = 0; p < pixels; ++p) sums[c] += dy[p * source.channels + c] * value(source, p, c);
  }
}

void squeeze_excite_bwd_data_f32_ref(std::size_t channels, std::size_t pixels, const float* dy, const float* gate,
                                     const float* dmean, float share, float* dx) {
  for (std::size_t p = 0; p < pixels; ++p)
    for (std::size_t c = 0; c < channels; ++c) {
      const std::size_t i = p * channels + c;
      dx[i] = static_cast<float>(static_cast<double>(dy[i]) * gate[c] + dmean[c] * share);
    }
}

}  // namespace bramble::kernels
