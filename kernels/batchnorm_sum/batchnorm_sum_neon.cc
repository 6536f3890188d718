#include "kernels/batchnorm_sum/batchnorm_sum.h"

#include <algorithm>

#include "kernels/activation/activation_neon.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

constexpr std::size_t kBlockRows = 32;  // float sums stay short; doubles take over beyond

template <Activation A>
constexpr bool kSavesOutput = A == Activation::sigmoid || A == Activation::hard_sigmoid;

/// The channels' vectors of all terms.
template <int kTerms>
struct Vectors {
  template <class Lanes>
  Vectors(const Lanes& lanes, const BatchnormSum& sum, std::size_t c) : beta(lanes.load(sum.beta + c)) {
#pragma GCC unroll 4
    for (int t = 0; t < kTerms; ++t) {
      mean[t] = lanes.load(sum.terms[t].mean + c);
      scale[t] = lanes.load(sum.terms[t].scale + c);
    }
  }
  float32x4_t mean[kTerms], scale[kTerms], beta;
};

/// x - mean of each term at index i, and their z.
template <int kTerms, class Lanes>
inline float32x4_t combine(const Lanes& lanes, const BatchnormSum& sum, std::size_t i, const Vectors<kTerms>& v,
                           float32x4_t (&centred)[kTerms]) {
  float32x4_t z = v.beta;
#pragma GCC unroll 4
  for (int t = 0; t < kTerms; ++t) {
    centred[t] = vsubq_f32(lanes.load(sum.terms[t].x + i), v.mean[t]);
    z = vfmaq_f32(z, centred[t], v.scale[t]);
  }
  return z;
}

template <Activation A>
inline float32x4_t gradient(float32x4_t dy, float32x4_t z) {
  if constexpr (A == Activation::none) return dy;
  return activation_bwd_f32x4<A>(dy, kSavesOutput<A> ? activate_f32x4<A>(z) : z);
}

template <Activation A, int kTerms, bool kResidual>
void forward(const BatchnormSum& sum, std::size_t row_begin, std::size_t row_end, const float* residual, float* y) {
  constexpr std::size_t kRows = 4;  // share the loads of the vectors
  for (std::size_t row = row_begin; row < row_end; row += kRows) {
    const std::size_t rows = std::min(kRows, row_end - row);
    for_each_vector(0, sum.channels, [&](auto lanes, std::size_t c) {
      const Vectors<kTerms> v(lanes, sum, c);
      std::size_t i = row * sum.channels + c;
      for (std::size_t r = 0; r < rows; ++r, i += sum.channels) {
        float32x4_t centred[kTerms];
        float32x4_t z = combine(lanes, sum, i, v, centred);
        if constexpr (kResidual) z = vaddq_f32(z, lanes.load(residual + i));
        lanes.store(y + i, activate_f32x4<A>(z));
      }
    });
  }
}

template <Activation A, int kTerms>
void reduce(const BatchnormSum& sum, std::size_t row_begin, std::size_t row_end, const float* dy, double* sums) {
  for (std::size_t block = row_begin; block < row_end; block += kBlockRows) {
    const std::size_t end = std::min(block + kBlockRows, row_end);
    for_each_vector(0, sum.channels, [&](auto lanes, std::size_t c) {
      const Vectors<kTerms> v(lanes, sum, c);
      float32x4_t total[1 + kTerms];
#pragma GCC unroll 5
      for (int t = 0; t <= kTerms; ++t) total[t] = vdupq_n_f32(0);
      for (std::size_t i = block * sum.channels + c; i < end * sum.channels; i += sum.channels) {
        float32x4_t centred[kTerms];
        const float32x4_t z = combine(lanes, sum, i, v, centred);
        const float32x4_t g = gradient<A>(lanes.load(dy + i), z);
        total[0] = vaddq_f32(total[0], g);
#pragma GCC unroll 4
        for (int t = 0; t < kTerms; ++t) total[1 + t] = vfmaq_f32(total[1 + t], g, centred[t]);
      }
      const std::size_t width = std::min<std::size_t>(4, sum.channels - c);
#pragma GCC unroll 5
      for (int t = 0; t <= kTerms; ++t) {
        float values[4];
        vst1q_f32(values, total[t]);
        for (std::size_t j = 0; j < width; ++j) sums[static_cast<std::size_t>(t) * sum.channels + c + j] += values[j];
      }
    });
  }
}

template <Activation A, int kTerms>
void data(const BatchnormSum& sum, std::size_t row_begin, std::size_t row_end, const float* dy,
          const BatchnormSumGradient* gradients) {
  constexpr std::size_t kRows = 4;
  for (std::size_t row = row_begin; row < row_end; row += kRows) {
    const std::size_t rows = std::min(kRows, row_end - row);
    for_each_vector(0, sum.channels, [&](auto lanes, std::size_t c) {
      const Vectors<kTerms> v(lanes, sum, c);
      std::size_t i = row * sum.channels + c;
      for (std::size_t r = 0; r < rows; ++r, i += sum.channels) {
        float32x4_t centred[kTerms];
        const float32x4_t z = combine(lanes, sum, i, v, centred);
        const float32x4_t g = gradient<A>(lanes.load(dy + i), z);
#pragma GCC unroll 4
        for (int t = 0; t < kTerms; ++t) {
          const BatchnormSumGradient& to = gradients[t];
          if (to.dx == nullptr) continue;
          float32x4_t dx = vfmaq_f32(lanes.load(to.constant + c), centred[t], lanes.load(to.slope + c));
          dx = vfmaq_f32(dx, g, lanes.load(to.scale + c));
          lanes.store(to.dx + i, dx);
        }
      }
    });
  }
}

/// Calls run.template operator()<A, kTerms>().
template <class Run>
void dispatch(const BatchnormSum& sum, Run run) {
  dispatch_activation(sum.activation, [&]<Activation A>() {
    if (sum.count == 1) return run.template operator()<A, 1>();
    if (sum.count == 2) return run.template operator()<A, 2>();
    if (sum.count == 3) return run.template operator()<A, 3>();
    return run.template operator()<A, 4>();
  });
}

}  // namespace

void batchnorm_sum_fwd_f32(const BatchnormSum& sum, std::size_t row_begin, std::size_t row_end, const float* residual,
                           float* y) {
  dispatch(sum, [&]<Activation A, int kTerms>() {
    if (residual != nullptr) forward<A, kTerms, true>(sum, row_begin, row_end, residual, y);
    else forward<A, kTerms, false>(sum, row_begin, row_end, residual, y);
  });
}

void batchnorm_sum_bwd_reduce_f32(const BatchnormSum& sum, std::size_t row_begin, std::size_t row_end, const float* dy,
                                  double* sums) {
  dispatch(sum, [&]<Activation A, int kTerms>() { reduce<A, kTerms>(sum, row_begin, row_end, dy, sums); });
}

void batchnorm_sum_bwd_data_f32(const BatchnormSum& sum, std::size_t row_begin, std::size_t row_end, const float* dy,
                                const BatchnormSumGradient* gradients) {
  dispatch(sum, [&]<Activation A, int kTerms>() { data<A, kTerms>(sum, row_begin, row_end, dy, gradients); });
}

}  // namespace bramble::kernels
