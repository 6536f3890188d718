// Batch normalisation over the rows of x[M][C] (NHWC: M = N * H * W), dense rows, any C and alignment (of 4 bytes).
// A slice is a range of rows [row_begin, row_end); matrices are given by their first row, not the slice's. Nothing
// allocates, threads or keeps state. Forward in training: stats for each slice, finalise, normalise for each slice.
// Backward: reduce for each slice, coefficients, data for each slice.
#pragma once

#include <cstddef>

#include "kernels/activation/activation.h"

namespace bramble::kernels {

/// Where one slice's sums go: for (c) partial[c] (=) sum over rows r of (x[r][c] - shift[c]), and
/// partial[C + c] (=) sum of (x[r][c] - shift[c])^2.
/// Any shift near the data will do (its first row): it keeps the squares' sum from cancelling. Summed in float over at
/// most 64 rows at a time, in double beyond. `scratch`: 2 * C floats.
void batchnorm_stats_f32(std::size_t row_begin, std::size_t row_end, std::size_t channels, const float* x,
                         const float* shift, double* partial, float* scratch);

struct BatchnormFinalise {
  std::size_t rows;      ///< M
  std::size_t channels;  ///< C
  std::size_t slices;    ///< how many partials, each 2 * C doubles, one after the other
  float eps;
  float momentum;  ///< PyTorch's: the new value's share
};

/// for (c = channel_begin; c < channel_end; ++c) {
///   mean[c] = E[x]; var = E[(x - mean)^2]; rstd[c] = 1 / sqrt(var + eps);
///   running_mean[c] = (1 - momentum) * running_mean[c] + momentum * mean[c];
///   running_var[c] = (1 - momentum) * running_var[c] + momentum * var * M / (M - 1);
/// }
/// Partials are added in the order they lie in. M >= 2.
void batchnorm_finalise_f32(const BatchnormFinalise& shape, std::size_t channel_begin, std::size_t channel_end,
                            const double* partials, const float* shift, float* running_mean, float* running_var,
                            float* mean, float* rstd);

/// rstd[c] = 1 / sqrt(running_var[c] + eps), for the inference form.
void batchnorm_rstd_f32(std::size_t channel_begin, std::size_t channel_end, const float* running_var, float eps,
                        float* rstd);

/// scale[c] = gamma[c] * rstd[c]. The backward calls this again to find the very bits the activation saw.
void batchnorm_scale_f32(std::size_t channel_begin, std::size_t channel_end, const float* gamma, const float* rstd,
                         float* scale);

/// The three vectors [C] of a normalisation: fma(x - mean, scale, beta). Folding mean into beta would save the
/// subtraction, which memory hides, and lose digits wherever the mean is large beside the deviation.
struct BatchnormAffine {
  const float* mean;
  const float* scale;  ///< of batchnorm_scale_f32
  const float* beta;
};

/// y[r][c] = f(fma(x[r][c] - mean[c], scale[c], beta[c]) + residual[r][c]); residual may be nullptr.
/// f: none, relu, relu6. y may be x or residual.
void batchnorm_fwd_f32(Activation activation, std::size_t row_begin, std::size_t row_end, std::size_t channels,
                       const float* x, const BatchnormAffine& affine, const float* residual, float* y);

/// What the backward's two passes read. With g = dy * f'(pre-activation): the mask comes from y if given (the forward
/// had a residual), else from the forward's fma, which saves reading y.
struct BatchnormBackward {
  Activation activation;  ///< none, relu, relu6
  std::size_t channels;
  const float* dy;      ///< [M][C]
  const float* x;       ///< [M][C]
  const float* y;       ///< [M][C] or nullptr
  BatchnormAffine affine;
};

/// for (c) partial[c] (=) sum over the slice of g[r][c]; partial[C + c] (=) sum of g[r][c] * (x[r][c] - mean[c]).
/// `scratch`: 2 * C floats.
void batchnorm_bwd_reduce_f32(const BatchnormBackward& operands, std::size_t row_begin, std::size_t row_end,
                              double* partial, float* scratch);

/// for (c) {
///   dbeta[c] (=) sum g; dgamma[c] (=) sum g * xhat;  xhat = (x - mean) * rstd
///   training: slope[c] = -gamma * rstd^2 * dgamma / M, constant[c] = -gamma * rstd * dbeta / M; else both 0
/// }
/// so that dx = scale * g + slope * (x - mean) + constant. dgamma, dbeta may be nullptr; partials as in finalise.
void batchnorm_bwd_coefficients_f32(std::size_t channel_begin, std::size_t channel_end, std::size_t rows,
                                    std::size_t channels, std::size_t slices, bool training, const double* partials,
                                    const float* scale, const float* rstd, float* dgamma, float* dbeta, float* slope,
                                    float* constant);

/// dx[r][c] (=) scale[c] * g + slope[c] * (x[r][c] - mean[c]) + constant[c]; dresidual[r][c] (=) g.
/// Either may be nullptr. dx may be dy, x or y; dresidual likewise, but not the one that dx is.
void batchnorm_bwd_data_f32(const BatchnormBackward& operands, std::size_t row_begin, std::size_t row_end,
                            const float* slope, const float* constant, float* dx, float* dresidual);

/// The whole forward in training mode, in double. residual may be nullptr; running_* as in finalise.
void batchnorm_fwd_f32_ref(Activation activation, std::size_t rows, std::size_t channels, float eps, float momentum,
                           const float* x, const float* gamma, const float* beta, const float* residual,
                           float* running_mean, float* running_var, float* y, float* mean, float* rstd);

/// The whole backward, in double, without scale. Where training is false, mean and rstd are constants.
void batchnorm_bwd_f32_ref(const BatchnormBackward& operands, std::size_t rows, bool training, const float* gamma,
                           const float* beta, const float* rstd, float* dx, float* dgamma, float* dbeta,
                           float* dresidual);

}  // namespace bramble::kernels
