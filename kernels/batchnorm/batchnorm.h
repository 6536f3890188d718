// Batch normalisation over the rows of x[M][C] (NHWC: M = N * H * W), any C and alignment (of 4 bytes). Nothing
// allocates, threads or keeps state. Forward in training: sums of each block of rows, finalise, normalise. Backward:
// sums of each block, coefficients, data. The sums read a block once: whoever writes x (or dy) takes them of what is in
// its cache still, so they take any range of rows and channels, `row_stride` elements from row to row.
#pragma once

#include <cstddef>

#include "kernels/activation/activation.h"

namespace bramble::kernels {

/// for (c < channels) sums[c] (+=) sum over r < rows of x[r * row_stride + c]; squares[c] (+=) sum of its square.
/// Summed in float about the block's first row, over at most 80 rows at a time, in double beyond.
void batchnorm_stats_f32(std::size_t rows, std::size_t channels, const float* x, std::size_t row_stride, double* sums,
                         double* squares);

struct BatchnormFinalise {
  std::size_t rows;      ///< M
  std::size_t channels;  ///< C
  std::size_t parts;     ///< how many partial sums: each C sums, then C sums of squares, one part after the other
  float eps;
  float momentum;  ///< PyTorch's: the new value's share
};

/// for (c = channel_begin; c < channel_end; ++c) {
///   mean[c] = E[x]; var = E[(x - mean)^2]; rstd[c] = 1 / sqrt(var + eps); scale[c] = gamma[c] * rstd[c];
///   running_mean[c] = (1 - momentum) * running_mean[c] + momentum * mean[c];
///   running_var[c] = (1 - momentum) * running_var[c] + momentum * var * M / (M - 1);
/// }
/// Parts are added in the order they lie in, in double, so that mean, rstd and scale are rounded once. M >= 2.
void batchnorm_finalise_f32(const BatchnormFinalise& shape, std::size_t channel_begin, std::size_t channel_end,
                            const double* partials, const float* gamma, float* running_mean, float* running_var,
                            float* mean, float* rstd, float* scale);

/// rstd[c] = 1 / sqrt(running_var[c] + eps); scale[c] = gamma[c] * rstd[c]: the inference form.
void batchnorm_running_f32(std::size_t channel_begin, std::size_t channel_end, const float* gamma,
                           const float* running_var, float eps, float* rstd, float* scale);

/// The three vectors [C] of a normalisation: fma(x - mean, scale, beta). Folding mean into beta would save the
/// subtraction, which memory hides, and lose digits wherever the mean is large beside the deviation.
struct BatchnormAffine {
  const float* mean;
  const float* scale;  ///< gamma * rstd; the backward needs these very bits to find the activation's mask again
  const float* beta;
};

/// A factor for each channel of each image, values[images][channels]: squeeze-excite's. Rows are pixels, image after
/// image.
struct ImageGate {
  const float* values = nullptr;  ///< null: none
  std::ptrdiff_t channels = 0;
  std::ptrdiff_t pixels = 1;     ///< of an image
  std::ptrdiff_t first_row = 0;  ///< which of all rows the reader's first is

  /// The factors of a reader's row.
  const float* of(std::ptrdiff_t row) const { return values + (first_row + row) / pixels * channels; }
  /// The reader's row that the next image begins with.
  std::ptrdiff_t image_end(std::ptrdiff_t row) const { return ((first_row + row) / pixels + 1) * pixels - first_row; }
};

/// A normalisation that the reader of x does on the way in: x' = f(fma(x - mean, scale, beta)), times the gate where
/// the reader takes one.
struct Normalisation {
  Activation activation = Activation::none;
  BatchnormAffine affine{};
  ImageGate gate{};

  /// That of channels [first, …).
  Normalisation from(std::ptrdiff_t first) const {
    Normalisation rest{activation, {affine.mean + first, affine.scale + first, affine.beta + first}, gate};
    if (gate.values) rest.gate.values += first;
    return rest;
  }
  /// That of rows [first, …).
  Normalisation from_row(std::ptrdiff_t first) const {
    Normalisation rest = *this;
    rest.gate.first_row += first;
    return rest;
  }
};

/// y[r][c] = f(fma(x[r][c] - mean[c], scale[c], beta[c]) + residual[r][c]); residual may be nullptr.
/// y may be x or residual. With residual_affine the residual comes through a BatchNorm of its own:
/// fma(residual[r][c] - mean[c], scale[c], beta[c]) of those.
void batchnorm_fwd_f32(Activation activation, std::size_t row_begin, std::size_t row_end, std::size_t channels,
                       const float* x, const BatchnormAffine& affine, const float* residual, float* y,
                       const BatchnormAffine* residual_affine = nullptr);

/// The same without a residual, of `channels` channels of rows x_stride and y_stride elements apart.
void batchnorm_fwd_strided_f32(Activation activation, std::size_t rows, std::size_t channels, const float* x,
                               std::size_t x_stride, const BatchnormAffine& affine, float* y, std::size_t y_stride);

/// What the backward's two passes read. With g = dy * f'(pre-activation): the mask comes from y if given (the forward
/// had a residual), else from the forward's fma, which saves reading y.
struct BatchnormBackward {
  Activation activation;  ///< with y: one whose backward takes the forward's output (activation.h)
  std::size_t channels;   ///< C, the distance between rows of x and y
  const float* dy;        ///< [M][C], rows dy_stride apart
  const float* x;         ///< [M][C]
  const float* y;         ///< [M][C] or nullptr
  BatchnormAffine affine;
  std::size_t dy_stride = channels;  ///< elements
};

/// For channels [channel_begin, channel_end) and rows [row_begin, row_end):
/// sums[c] (+=) sum of g[r][c]; products[c] (+=) sum of g[r][c] * (x[r][c] - mean[c]).
void batchnorm_bwd_reduce_f32(const BatchnormBackward& operands, std::size_t row_begin, std::size_t row_end,
                              std::size_t channel_begin, std::size_t channel_end, double* sums, double* products);

/// The same, and dy[r][c] (=) g[r][c] there: `dy` is the operands' own, dense, and y is given.
void batchnorm_bwd_mask_f32(const BatchnormBackward& operands, std::size_t row_begin, std::size_t row_end,
                            std::size_t channel_begin, std::size_t channel_end, float* dy, double* sums,
                            double* products);

/// for (c) {
///   dbeta[c] (=) sum g; dgamma[c] (=) sum g * xhat;  xhat = (x - mean) * rstd
///   training: slope[c] = -gamma * rstd^2 * dgamma / M, constant[c] = -gamma * rstd * dbeta / M; else both 0
/// }
/// so that dx = scale * g + slope * (x - mean) + constant. dgamma, dbeta may be nullptr; partials as in finalise.
void batchnorm_bwd_coefficients_f32(std::size_t channel_begin, std::size_t channel_end, std::size_t rows,
                                    std::size_t channels, std::size_t parts, bool training, const double* partials,
                                    const float* scale, const float* rstd, float* dgamma, float* dbeta, float* slope,
                                    float* constant);

/// dx[r][c] (=) scale[c] * g + slope[c] * (x[r][c] - mean[c]) + constant[c]; dresidual[r][c] (=) g.
/// Either may be nullptr. dx may be dy (with rows as x's), x or y; dresidual likewise, but not the one that dx is.
void batchnorm_bwd_data_f32(const BatchnormBackward& operands, std::size_t row_begin, std::size_t row_end,
                            const float* slope, const float* constant, float* dx, float* dresidual);

/// dx of the operands' first `rows` rows and `channels` channels, to rows dx_stride elements apart.
void batchnorm_bwd_data_strided_f32(const BatchnormBackward& operands, std::size_t rows, std::size_t channels,
                                    const float* slope, const float* constant, float* dx, std::size_t dx_stride);

/// The whole forward in training mode, in double. residual may be nullptr; running_* as in finalise.
void batchnorm_fwd_f32_ref(Activation activation, std::size_t rows, std::size_t channels, float eps, float momentum,
                           const float* x, const float* gamma, const float* beta, const float* residual,
                           float* running_mean, float* running_var, float* y, float* mean, float* rstd);

/// The whole backward, in double, without scale. Where training is false, mean and rstd are constants.
void batchnorm_bwd_f32_ref(const BatchnormBackward& operands, std::size_t rows, bool training, const float* gamma,
                           const float* beta, const float* rstd, float* dx, float* dgamma, float* dbeta,
                           float* dresidual);

}  // namespace bramble::kernels
