// The passes of squeeze-excite over one image x[P][C] (NHWC: P = H * W, dense rows); what lies between them, two linear
// layers over [N][C], is gemm.h's. x may come through a BatchNorm, which each pass then does on the way in.
//
//   mean[c] = sum over p of x'[p][c] / P,  gate[c] = g(W2 f(W1 mean + b1) + b2)[c],  y[p][c] = x'[p][c] * gate[c]
//
// A slice is a range of pixels, or of channels where there are sums. Any C and alignment (of 4 bytes). No allocation,
// threads or state.
#pragma once

#include <cstddef>

#include "kernels/batchnorm/batchnorm.h"

namespace bramble::kernels {

/// x' = x, or with a way in x' = f(fma(x - mean, scale, beta)).
struct SqueezeExciteSource {
  std::size_t channels;                 ///< C
  const float* x;                       ///< the image's first pixel
  const Normalisation* way_in = nullptr;
};

/// for (c = channel_begin; c < channel_end; ++c) sums[c] (=) sum over p < pixels of x'[p][c].
/// Summed in float over at most 64 pixels at a time, in double beyond.
void squeeze_excite_fwd_pool_f32(const SqueezeExciteSource& source, std::size_t pixels, std::size_t channel_begin,
                                 std::size_t channel_end, double* sums);

/// y[p][c] (=) x'[p][c] * gate[c] for pixels [begin, end). y may be x.
void squeeze_excite_fwd_scale_f32(const SqueezeExciteSource& source, std::size_t begin, std::size_t end,
                                  const float* gate, float* y);

/// The gate's gradient: sums[c] (=) sum over p < pixels of dy[p][c] * x'[p][c], summed as in the forward.
void squeeze_excite_bwd_gate_f32(const SqueezeExciteSource& source, std::size_t pixels, std::size_t channel_begin,
                                 std::size_t channel_end, const float* dy, double* sums);

/// dx'[p][c] (=) dy[p][c] * gate[c] + dmean[c] * share for pixels [begin, end); share is 1 / P. dx may be dy.
void squeeze_excite_bwd_data_f32(std::size_t channels, std::size_t begin, std::size_t end, const float* dy,
                                 const float* gate, const float* dmean, float share, float* dx);

void squeeze_excite_fwd_pool_f32_ref(const SqueezeExciteSource& source, std::size_t pixels, double* sums);
void squeeze_excite_fwd_scale_f32_ref(const SqueezeExciteSource& source, std::size_t pixels, const float* gate,
                                      float* y);
void squeeze_excite_bwd_gate_f32_ref(const SqueezeExciteSource& source, std::size_t pixels, const float* dy,
                                     double* sums);
void squeeze_excite_bwd_data_f32_ref(std::size_t channels, std::size_t pixels, const float* dy, const float* gate,
                                     const float* dmean, float share, float* dx);

}  // namespace bramble::kernels
