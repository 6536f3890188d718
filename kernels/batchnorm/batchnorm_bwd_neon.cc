#include <algorithm>

#include "kernels/activation/activation_neon.h"
#include "kernels/batchnorm/batchnorm.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

constexpr std::size_t kBlockRows = 64;  // as in the forward: float sums stay short

// Where the activation's mask comes from.
enum class Mask { none, from_x, from_y };

// One vector of the channels' affine.
struct Affine {
  template <class Lanes>
  Affine(const Lanes& lanes, const BatchnormAffine& affine, std::size_t c)
      : mean(lanes.load(affine.mean + c)), scale(lanes.load(affine.scale + c)), beta(lanes.load(affine.beta + c)) {}
  float32x4_t mean, scale, beta;
};

// g of one vector, i being its index in dy, x and y; `centred` is x - mean.
template <Activation A, Mask M, class Lanes>
inline float32x4_t masked(const Lanes& lanes, const BatchnormBackward& in, std::size_t i, float32x4_t centred,
                          const Affine& affine) {
  const float32x4_t dy = lanes.load(in.dy + i);
  if constexpr (M == Mask::from_x) return activation_bwd_f32x4<A>(dy, vfmaq_f32(affine.beta, centred, affine.scale));
  if constexpr (M == Mask::from_y) return activation_bwd_f32x4<A>(dy, lanes.load(in.y + i));
  return dy;
}

template <Activation A, Mask M, int Rows>
void reduce_rows(const BatchnormBackward& in, std::size_t row, float* sum, float* products) {
  for_each_vector(0, in.channels, [&](auto lanes, std::size_t c) {
    const Affine affine(lanes, in.affine, c);
    float32x4_t s = lanes.load(sum + c);
    float32x4_t p = lanes.load(products + c);
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) {
      const std::size_t i = (row + r) * in.channels + c;
      const float32x4_t centred = vsubq_f32(lanes.load(in.x + i), affine.mean);
      const float32x4_t g = masked<A, M>(lanes, in, i, centred, affine);
      s = vaddq_f32(s, g);
      p = vfmaq_f32(p, g, centred);
    }
    lanes.store(sum + c, s);
    lanes.store(products + c, p);
  });
}

template <Activation A, Mask M>
void reduce(const BatchnormBackward& in, std::size_t row_begin, std::size_t row_end, double* partial, float* scratch) {
  float* sum = scratch;
  float* products = scratch + in.channels;
  std::fill_n(partial, 2 * in.channels, 0.0);
  for (std::size_t block = row_begin; block < row_end; block += kBlockRows) {
    const std::size_t block_end = std::min(block + kBlockRows, row_end);
    std::fill_n(scratch, 2 * in.channels, 0.0f);
    std::size_t r = block;
    for (; r + 4 <= block_end; r += 4) reduce_rows<A, M, 4>(in, r, sum, products);
    for (; r < block_end; ++r) reduce_rows<A, M, 1>(in, r, sum, products);
    for (std::size_t i = 0; i < 2 * in.channels; ++i) partial[i] += scratch[i];
  }
}

template <Activation A, Mask M, int Rows>
void data_rows(const BatchnormBackward& in, std::size_t row, const float* slope, const float* constant, float* dx,
               float* dresidual) {
  for_each_vector(0, in.channels, [&](auto lanes, std::size_t c) {
    const Affine affine(lanes, in.affine, c);
    const float32x4_t k1 = lanes.load(slope + c);
    const float32x4_t k0 = lanes.load(constant + c);
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) {
      const std::size_t i = (row + r) * in.channels + c;
      const float32x4_t centred = vsubq_f32(lanes.load(in.x + i), affine.mean);
      const float32x4_t g = masked<A, M>(lanes, in, i, centred, affine);
      if (dresidual != nullptr) lanes.store(dresidual + i, g);
      if (dx != nullptr) lanes.store(dx + i, vfmaq_f32(vfmaq_f32(k0, centred, k1), g, affine.scale));
    }
  });
}

template <Activation A, Mask M>
void data(const BatchnormBackward& in, std::size_t row_begin, std::size_t row_end, const float* slope,
          const float* constant, float* dx, float* dresidual) {
  std::size_t r = row_begin;
  for (; r + 4 <= row_end; r += 4) data_rows<A, M, 4>(in, r, slope, constant, dx, dresidual);
  for (; r < row_end; ++r) data_rows<A, M, 1>(in, r, slope, constant, dx, dresidual);
}

// Calls run.operator()<Activation, Mask>().
template <class Run>
void dispatch(const BatchnormBackward& in, Run&& run) {
  if (in.activation == Activation::none) return run.template operator()<Activation::none, Mask::none>();
  if (in.activation == Activation::relu) {
    if (in.y != nullptr) return run.template operator()<Activation::relu, Mask::from_y>();
    return run.template operator()<Activation::relu, Mask::from_x>();
  }
  if (in.y != nullptr) return run.template operator()<Activation::relu6, Mask::from_y>();
  return run.template operator()<Activation::relu6, Mask::from_x>();
}

}  // namespace

void batchnorm_bwd_reduce_f32(const BatchnormBackward& operands, std::size_t row_begin, std::size_t row_end,
                              double* partial, float* scratch) {
  dispatch(operands, [&]<Activation A, Mask M>() { reduce<A, M>(operands, row_begin, row_end, partial, scratch); });
}

void batchnorm_bwd_coefficients_f32(std::size_t channel_begin, std::size_t channel_end, std::size_t rows,
                                    std::size_t channels, std::size_t slices, bool training, const double* partials,
                                    const float* scale, const float* rstd, float* dgamma, float* dbeta, float* slope,
                                    float* constant) {
  const double share = training ? 1.0 / static_cast<double>(rows) : 0.0;
  for (std::size_t c = channel_begin; c < channel_end; ++c) {
    double sum = 0;
    double products = 0;
    for (std::size_t slice = 0; slice < slices; ++slice) {
      sum += partials[slice * 2 * channels + c];
      products += partials[(slice * 2 + 1) * channels + c];
    }
    products *= rstd[c];
    if (dbeta != nullptr) dbeta[c] = static_cast<float>(sum);
    if (dgamma != nullptr) dgamma[c] = static_cast<float>(products);
    slope[c] = static_cast<float>(-scale[c] * rstd[c] * products * share);
    constant[c] = static_cast<float>(-scale[c] * sum * share);
  }
}

void batchnorm_bwd_data_f32(const BatchnormBackward& operands, std::size_t row_begin, std::size_t row_end,
                            const float* slope, const float* constant, float* dx, float* dresidual) {
  dispatch(operands, [&]<Activation A, Mask M>() {
    data<A, M>(operands, row_begin, row_end, slope, constant, dx, dresidual);
  });
}

}  // namespace bramble::kernels
