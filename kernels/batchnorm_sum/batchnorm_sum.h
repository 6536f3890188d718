// The sum of several batch normalisations in one pass, as networks have it that train several branches to run one
// (RepVGG, MobileOne, FastViT):
//   z = residual + layer_scale * sum over branches k of sign_k * BN_k(w_k * x_k),   y = f(z)
// Over the rows of x[M][C], any C and alignment (of 4 bytes). Nothing allocates, threads or keeps state. Branches of the
// same x make one term of the pass. w_k is a depthwise 1x1 convolution's weight: it needs no tensor of its own.
// Forward: sums of each distinct x (batchnorm_stats_f32), finalise branch by branch, normalise. Backward: reduce,
// coefficients branch by branch, data.
#pragma once

#include <cstddef>

#include "kernels/activation/activation.h"
#include "kernels/batchnorm/batchnorm.h"

namespace bramble::kernels {

inline constexpr std::size_t kBatchnormSumTerms = 4;

/// What the passes over memory see: z = beta + residual + sum over t < count of (x_t - mean_t) * scale_t, and y = f(z).
struct BatchnormSum {
  struct Term {
    const float* x;      ///< [M][C]
    const float* mean;   ///< [C]
    const float* scale;  ///< [C]
  };
  Activation activation = Activation::none;
  std::size_t channels = 0;
  std::size_t count = 0;  ///< 1 to kBatchnormSumTerms
  Term terms[kBatchnormSumTerms]{};
  const float* beta = nullptr;  ///< [C]
};

/// y[r][c] (=) f(z) for rows [row_begin, row_end). residual may be null; y may be it or any x.
void batchnorm_sum_fwd_f32(const BatchnormSum& sum, std::size_t row_begin, std::size_t row_end, const float* residual,
                           float* y);
void batchnorm_sum_fwd_f32_ref(const BatchnormSum& sum, std::size_t row_begin, std::size_t row_end,
                               const float* residual, float* y);

/// With g = dy * f'(z), z without residual: sums[0][c] (+=) sum of g, sums[1 + t][c] (+=) sum of g * (x_t - mean_t)
/// over rows [row_begin, row_end). In float over 32 rows at a time, in double beyond.
void batchnorm_sum_bwd_reduce_f32(const BatchnormSum& sum, std::size_t row_begin, std::size_t row_end, const float* dy,
                                  double* sums);

/// A term's gradient: dx (=) scale * g + slope * (x - mean) + constant.
struct BatchnormSumGradient {
  const float* scale = nullptr;
  const float* slope = nullptr;
  const float* constant = nullptr;
  float* dx = nullptr;  ///< null: not wanted
};

/// `gradients`: one a term. dx may be its x or dy, no two the same.
void batchnorm_sum_bwd_data_f32(const BatchnormSum& sum, std::size_t row_begin, std::size_t row_end, const float* dy,
                                const BatchnormSumGradient* gradients);
void batchnorm_sum_bwd_data_f32_ref(const BatchnormSum& sum, std::size_t row_begin, std::size_t row_end,
                                    const float* dy, const BatchnormSumGradient* gradients);

/// One branch's vectors [C]. Null: w = 1, layer_scale = 1.
struct BatchnormBranch {
  const float* gamma = nullptr;
  const float* beta = nullptr;
  const float* w = nullptr;
  const float* layer_scale = nullptr;
  float sign = 1;

  /// What x - mean is multiplied by, given the branch's rstd.
  double factor(std::size_t c, double rstd) const {
    return static_cast<double>(sign) * (layer_scale ? layer_scale[c] : 1.0f) * gamma[c] * (w ? w[c] : 1.0f) * rstd;
  }
};

/// Training, of channels [channel_begin, channel_end): mean[c] (=) E[x], rstd[c] (=) 1 / sqrt(w^2 var + eps), the running
/// values of w * x as batchnorm_finalise_f32; scale[c] (+=) the branch's factor, beta[c] (+=) its share of the constant.
void batchnorm_branch_finalise_f32(const BatchnormFinalise& shape, std::size_t channel_begin, std::size_t channel_end,
                                   const double* partials, const BatchnormBranch& branch, float* running_mean,
                                   float* running_var, float* mean, float* rstd, float* scale, float* beta);

/// Inference, without w: mean (=) the running one, rstd (=), scale (+=), beta (+=), the term being centred at `centre`.
void batchnorm_branch_running_f32(std::size_t channel_begin, std::size_t channel_end, float eps,
                                  const BatchnormBranch& branch, const float* running_mean, const float* running_var,
                                  const float* centre, float* mean, float* rstd, float* scale, float* beta);

/// What a branch's share of the coefficients is made of.
struct BatchnormBranchBackward {
  std::size_t rows;     ///< M
  bool training;
  const double* g;      ///< [C]: sum of g
  const double* gx;     ///< [C]: sum of g * (x - centre)
  const float* mean;    ///< [C], the branch's own
  const float* rstd;    ///< [C]
  const float* centre;  ///< [C], of the term
  float eps;
};

/// dgamma, dbeta, dw (=); dlayer_scale, and the term's slope and constant (+=). Those that are null are not wanted.
/// w's gradient, sum of du * x, comes from its closed form: a normalisation forgets its input's scale but for eps.
struct BatchnormBranchGradients {
  float* dgamma;
  float* dbeta;
  float* dw;
  float* dlayer_scale;
  float* slope;
  float* constant;
};
void batchnorm_branch_bwd_f32(std::size_t channel_begin, std::size_t channel_end, const BatchnormBranchBackward& in,
                              const BatchnormBranch& branch, const BatchnormBranchGradients& out);

}  // namespace bramble::kernels
