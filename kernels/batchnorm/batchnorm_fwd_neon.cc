#include <algorithm>
#include <cmath>

#include "kernels/activation/activation_neon.h"
#include "kernels/batchnorm/batchnorm.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

// Float sums stay this short, so that their error does too; doubles take over beyond.
constexpr std::size_t kBlockRows = 64;

// Four rows share one load of the per-channel vectors and one load and store of the sums: with one row those would be
// most of the loads.
template <int Rows>
void add_rows(std::size_t channels, const float* x, const float* shift, float* sum, float* squares) {
  for_each_vector(0, channels, [&](auto lanes, std::size_t c) {
    const float32x4_t origin = lanes.load(shift + c);
    float32x4_t s = lanes.load(sum + c);
    float32x4_t q = lanes.load(squares + c);
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) {
      const float32x4_t d = vsubq_f32(lanes.load(x + r * channels + c), origin);
      s = vaddq_f32(s, d);
      q = vfmaq_f32(q, d, d);
    }
    lanes.store(sum + c, s);
    lanes.store(squares + c, q);
  });
}

template <Activation A, bool Residual, int Rows>
void normalise_rows(std::size_t channels, const float* x, const BatchnormAffine& affine, const float* residual,
                    float* y) {
  for_each_vector(0, channels, [&](auto lanes, std::size_t c) {
    const float32x4_t mean = lanes.load(affine.mean + c);
    const float32x4_t scale = lanes.load(affine.scale + c);
    const float32x4_t beta = lanes.load(affine.beta + c);
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) {
      float32x4_t v = vfmaq_f32(beta, vsubq_f32(lanes.load(x + r * channels + c), mean), scale);
      if constexpr (Residual) v = vaddq_f32(v, lanes.load(residual + r * channels + c));
      lanes.store(y + r * channels + c, activate_f32x4<A>(v));
    }
  });
}

template <Activation A, bool Residual>
void normalise(std::size_t row_begin, std::size_t row_end, std::size_t channels, const float* x,
               const BatchnormAffine& affine, const float* residual, float* y) {
  const auto at = [&](const float* matrix, std::size_t r) { return Residual ? matrix + r * channels : nullptr; };
  std::size_t r = row_begin;
  for (; r + 4 <= row_end; r += 4) {
    normalise_rows<A, Residual, 4>(channels, x + r * channels, affine, at(residual, r), y + r * channels);
  }
  for (; r < row_end; ++r) {
    normalise_rows<A, Residual, 1>(channels, x + r * channels, affine, at(residual, r), y + r * channels);
  }
}

}  // namespace

void batchnorm_stats_f32(std::size_t row_begin, std::size_t row_end, std::size_t channels, const float* x,
                         const float* shift, double* partial, float* scratch) {
  float* sum = scratch;
  float* squares = scratch + channels;
  std::fill_n(partial, 2 * channels, 0.0);
  for (std::size_t block = row_begin; block < row_end; block += kBlockRows) {
    const std::size_t block_end = std::min(block + kBlockRows, row_end);
    std::fill_n(scratch, 2 * channels, 0.0f);
    std::size_t r = block;
    for (; r + 4 <= block_end; r += 4) add_rows<4>(channels, x + r * channels, shift, sum, squares);
    for (; r < block_end; ++r) add_rows<1>(channels, x + r * channels, shift, sum, squares);
    for (std::size_t i = 0; i < 2 * channels; ++i) partial[i] += scratch[i];
  }
}

void batchnorm_finalise_f32(const BatchnormFinalise& shape, std::size_t channel_begin, std::size_t channel_end,
                            const double* partials, const float* shift, float* running_mean, float* running_var,
                            float* mean, float* rstd) {
  const double rows = static_cast<double>(shape.rows);
  const double momentum = shape.momentum;
  for (std::size_t c = channel_begin; c < channel_end; ++c) {
    double sum = 0;
    double squares = 0;
    for (std::size_t slice = 0; slice < shape.slices; ++slice) {
      sum += partials[slice * 2 * shape.channels + c];
      squares += partials[(slice * 2 + 1) * shape.channels + c];
    }
    const double centre = sum / rows;  // the mean's distance from shift
    const double variance = std::max(squares / rows - centre * centre, 0.0);
    const double average = shift[c] + centre;
    mean[c] = static_cast<float>(average);
    rstd[c] = static_cast<float>(1 / std::sqrt(variance + shape.eps));
    running_mean[c] = static_cast<float>((1 - momentum) * running_mean[c] + momentum * average);
    running_var[c] = static_cast<float>((1 - momentum) * running_var[c] + momentum * variance * rows / (rows - 1));
  }
}

void batchnorm_rstd_f32(std::size_t channel_begin, std::size_t channel_end, const float* running_var, float eps,
                        float* rstd) {
  for (std::size_t c = channel_begin; c < channel_end; ++c) {
    rstd[c] = static_cast<float>(1 / std::sqrt(static_cast<double>(running_var[c]) + eps));
  }
}

void batchnorm_scale_f32(std::size_t channel_begin, std::size_t channel_end, const float* gamma, const float* rstd,
                         float* scale) {
  for_each_vector(channel_begin, channel_end, [&](auto lanes, std::size_t c) {
    lanes.store(scale + c, vmulq_f32(lanes.load(gamma + c), lanes.load(rstd + c)));
  });
}

void batchnorm_fwd_f32(Activation activation, std::size_t row_begin, std::size_t row_end, std::size_t channels,
                       const float* x, const BatchnormAffine& affine, const float* residual, float* y) {
  const auto run = [&]<Activation A>() {
    if (residual != nullptr) return normalise<A, true>(row_begin, row_end, channels, x, affine, residual, y);
    return normalise<A, false>(row_begin, row_end, channels, x, affine, residual, y);
  };
  if (activation == Activation::relu) return run.template operator()<Activation::relu>();
  if (activation == Activation::relu6) return run.template operator()<Activation::relu6>();
  return run.template operator()<Activation::none>();
}

}  // namespace bramble::kernels
