#include <algorithm>

#include "kernels/activation/activation_neon.h"
#include "kernels/batchnorm/batchnorm.h"
#include "kernels/batchnorm/part_sums.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

constexpr std::size_t kBlockRows = 64;  // float sums stay short; doubles take over beyond

// Where the activation's mask comes from.
enum class Mask { none, from_x, from_y };

// Whether the backward takes the forward's output and could not do with its input.
template <Activation A>
constexpr bool kSavesOutput = A == Activation::sigmoid || A == Activation::hard_sigmoid;

// One vector of the channels' affine.
struct Affine {
  template <class Lanes>
  Affine(const Lanes& lanes, const BatchnormAffine& affine, std::size_t c)
      : mean(lanes.load(affine.mean + c)), scale(lanes.load(affine.scale + c)), beta(lanes.load(affine.beta + c)) {}
  float32x4_t mean, scale, beta;
};

// N vectors of g, vector v being the one `index(v)` floats on in x and y and at gradient(v); `centred` is x - mean.
template <Activation A, Mask M, int N, class Lanes, class Index, class Gradient, class AffineOf>
inline void masked(const Lanes& lanes, const BatchnormBackward& in, const Index& index, const Gradient& gradient,
                   const AffineOf& affine, float32x4_t (&centred)[N], float32x4_t (&g)[N]) {
  float32x4_t saved[N];
#pragma GCC unroll 4
  for (int v = 0; v < N; ++v) {
    centred[v] = vsubq_f32(lanes.load(in.x + index(v)), affine(v).mean);
    g[v] = lanes.load(gradient(v));
    if constexpr (M == Mask::from_x) {
      const float32x4_t z = vfmaq_f32(affine(v).beta, centred[v], affine(v).scale);
      saved[v] = kSavesOutput<A> ? activate_f32x4<A>(z) : z;
    }
    if constexpr (M == Mask::from_y) saved[v] = lanes.load(in.y + index(v));
  }
  if constexpr (M != Mask::none) activation_bwd_f32<A>(g, saved);
}

// What becomes of g once it is summed.
struct Dropped {
  template <class Lanes>
  void store(const Lanes&, std::size_t, float32x4_t) const {}
};
struct Kept {
  float* g;
  template <class Lanes>
  void store(const Lanes& lanes, std::size_t i, float32x4_t value) const {
    lanes.store(g + i, value);
  }
};

// Rows at a time: an exponential's chain of instructions is longer than what the core looks ahead.
template <Activation A>
constexpr int kRowsSideBySide = A == Activation::silu ? 2 : 1;

// The sums of up to 64 rows of kVectors vectors of channels, from channel c on, stay in registers.
template <Activation A, Mask M, int kVectors, class Lanes, class Result>
inline void reduce_block(const Lanes& lanes, const BatchnormBackward& in, std::size_t row_begin, std::size_t row_end,
                         std::size_t c, const Result& result, double* sums, double* products, std::size_t channels) {
  float32x4_t sum[kVectors], product[kVectors];
  const Affine affine[2] = {{lanes, in.affine, c}, {lanes, in.affine, c + 4 * (kVectors - 1)}};
#pragma GCC unroll 2
  for (int v = 0; v < kVectors; ++v) sum[v] = product[v] = vdupq_n_f32(0);
  const auto add_rows = [&]<int kRows>(std::size_t row) {
    const auto index = [&](int n) { return (row + n / kVectors) * in.channels + c + 4 * (n % kVectors); };
    const auto gradient = [&](int n) { return in.dy + (row + n / kVectors) * in.dy_stride + c + 4 * (n % kVectors); };
    float32x4_t centred[kRows * kVectors], g[kRows * kVectors];
    masked<A, M>(
        lanes, in, index, gradient, [&](int n) { return affine[n % kVectors]; }, centred, g);
#pragma GCC unroll 4
    for (int n = 0; n < kRows * kVectors; ++n) {
      result.store(lanes, index(n), g[n]);
      sum[n % kVectors] = vaddq_f32(sum[n % kVectors], g[n]);
      product[n % kVectors] = vfmaq_f32(product[n % kVectors], g[n], centred[n]);
    }
  };
  std::size_t row = row_begin;
  for (; row + kRowsSideBySide<A> <= row_end; row += kRowsSideBySide<A>)
    add_rows.template operator()<kRowsSideBySide<A>>(row);
  for (; row < row_end; ++row) add_rows.template operator()<1>(row);
  float s[4 * kVectors], p[4 * kVectors];
#pragma GCC unroll 2
  for (int v = 0; v < kVectors; ++v) {
    vst1q_f32(s + 4 * v, sum[v]);
    vst1q_f32(p + 4 * v, product[v]);
  }
  for (std::size_t j = 0; j < channels; ++j) {
    sums[c + j] += s[j];
    products[c + j] += p[j];
  }
}

template <Activation A, Mask M, class Result>
void reduce(const BatchnormBackward& in, std::size_t row_begin, std::size_t row_end, std::size_t channel_begin,
            std::size_t channel_end, const Result& result, double* sums, double* products) {
  for (std::size_t block = row_begin; block < row_end; block += kBlockRows) {
    const std::size_t block_end = std::min(block + kBlockRows, row_end);
    std::size_t c = channel_begin;
    for (; c + 8 <= channel_end; c += 8) {
      reduce_block<A, M, 2>(AllLanes{}, in, block, block_end, c, result, sums, products, 8);
    }
    for_each_vector(c, channel_end, [&](auto lanes, std::size_t i) {
      const std::size_t width = std::min<std::size_t>(4, channel_end - i);
      reduce_block<A, M, 1>(lanes, in, block, block_end, i, result, sums, products, width);
    });
  }
}

// Where the gradients go: `channels` of rows dx_stride apart, dresidual's as x's.
struct DataResult {
  std::size_t channels;
  const float* slope;
  const float* constant;
  float* dx;
  std::size_t dx_stride;
  float* dresidual;
};

// By value: for all that the compiler knows, storing through a reference's pointer changes what the reference holds.
template <Activation A, Mask M, bool kHasDx, bool kHasResidual, int Rows>
void data_rows(BatchnormBackward in, std::size_t row, DataResult out) {
  for_each_vector(0, out.channels, [&](auto lanes, std::size_t c) {
    const Affine affine(lanes, in.affine, c);
    const float32x4_t k1 = lanes.load(out.slope + c);
    const float32x4_t k0 = lanes.load(out.constant + c);
    constexpr int kSideBySide = std::min(Rows, kRowsSideBySide<A>);
#pragma GCC unroll 4
    for (int first = 0; first < Rows; first += kSideBySide) {
      float32x4_t centred[kSideBySide], g[kSideBySide];
      const auto index = [&](int r) { return (row + first + r) * in.channels + c; };
      const auto gradient = [&](int r) { return in.dy + (row + first + r) * in.dy_stride + c; };
      masked<A, M>(
          lanes, in, index, gradient, [&](int) { return affine; }, centred, g);
#pragma GCC unroll 2
      for (int r = 0; r < kSideBySide; ++r) {
        if constexpr (kHasResidual) lanes.store(out.dresidual + index(r), g[r]);
        if constexpr (kHasDx)
          lanes.store(out.dx + (row + first + r) * out.dx_stride + c,
                      vfmaq_f32(vfmaq_f32(k0, centred[r], k1), g[r], affine.scale));
      }
    }
  });
}

template <Activation A, Mask M, bool kHasDx, bool kHasResidual>
void data(const BatchnormBackward& in, std::size_t row_begin, std::size_t row_end, const DataResult& out) {
  std::size_t r = row_begin;
  for (; r + 4 <= row_end; r += 4) data_rows<A, M, kHasDx, kHasResidual, 4>(in, r, out);
  for (; r < row_end; ++r) data_rows<A, M, kHasDx, kHasResidual, 1>(in, r, out);
}

template <Activation A, Mask M>
void data(const BatchnormBackward& in, std::size_t row_begin, std::size_t row_end, const DataResult& out) {
  if (out.dx && out.dresidual) return data<A, M, true, true>(in, row_begin, row_end, out);
  if (out.dx) return data<A, M, true, false>(in, row_begin, row_end, out);
  if (out.dresidual) data<A, M, false, true>(in, row_begin, row_end, out);
}

// Calls run.operator()<Activation, Mask>().
template <class Run>
void dispatch(const BatchnormBackward& in, Run&& run) {
  dispatch_activation(in.activation, [&]<Activation A>() {
    if constexpr (A == Activation::none) return run.template operator()<A, Mask::none>();
    if constexpr (A == Activation::relu || A == Activation::relu6 || kSavesOutput<A>) {
      if (in.y != nullptr) return run.template operator()<A, Mask::from_y>();
    }
    run.template operator()<A, Mask::from_x>();
  });
}

}  // namespace

void batchnorm_bwd_reduce_f32(const BatchnormBackward& operands, std::size_t row_begin, std::size_t row_end,
                              std::size_t channel_begin, std::size_t channel_end, double* sums, double* products) {
  dispatch(operands, [&]<Activation A, Mask M>() {
    reduce<A, M>(operands, row_begin, row_end, channel_begin, channel_end, Dropped{}, sums, products);
  });
}

void batchnorm_bwd_mask_f32(const BatchnormBackward& operands, std::size_t row_begin, std::size_t row_end,
                            std::size_t channel_begin, std::size_t channel_end, float* dy, double* sums,
                            double* products) {
  dispatch(operands, [&]<Activation A, Mask M>() {
    if constexpr (M == Mask::from_y)
      reduce<A, M>(operands, row_begin, row_end, channel_begin, channel_end, Kept{dy}, sums, products);
  });
}

void batchnorm_bwd_coefficients_f32(std::size_t channel_begin, std::size_t channel_end, std::size_t rows,
                                    std::size_t channels, std::size_t parts, bool training, const double* partials,
                                    const float* scale, const float* rstd, float* dgamma, float* dbeta, float* slope,
                                    float* constant) {
  const double share = training ? 1.0 / static_cast<double>(rows) : 0.0;
  for_each_total({partials, parts, channels}, channel_begin, channel_end,
                 [&](std::size_t c, double sum, double second) {
                   const double products = second * rstd[c];
                   if (dbeta != nullptr) dbeta[c] = static_cast<float>(sum);
                   if (dgamma != nullptr) dgamma[c] = static_cast<float>(products);
                   slope[c] = static_cast<float>(-scale[c] * rstd[c] * products * share);
                   constant[c] = static_cast<float>(-scale[c] * sum * share);
                 });
}

void batchnorm_bwd_data_f32(const BatchnormBackward& operands, std::size_t row_begin, std::size_t row_end,
                            const float* slope, const float* constant, float* dx, float* dresidual) {
  const DataResult result{operands.channels, slope, constant, dx, operands.channels, dresidual};
  dispatch(operands, [&]<Activation A, Mask M>() { data<A, M>(operands, row_begin, row_end, result); });
}

void batchnorm_bwd_data_strided_f32(const BatchnormBackward& operands, std::size_t rows, std::size_t channels,
                                    const float* slope, const float* constant, float* dx, std::size_t dx_stride) {
  const DataResult result{channels, slope, constant, dx, dx_stride, nullptr};
  dispatch(operands, [&]<Activation A, Mask M>() { data<A, M>(operands, 0, rows, result); });
}

}  // namespace bramble::kernels
