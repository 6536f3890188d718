// Group normalisation of one image: x[M][C], M its pixels, C in `groups` groups of neighbouring channels, each normalised
// over its channels and all pixels; a factor and a term for each channel follow. The long passes are batchnorm.h's, with
// per-channel vectors made of each group's mean and deviation here. Nothing allocates, threads or keeps state.
//
//   y[m][c] = (x[m][c] - mean[g]) * rstd[g] * gamma[c] + beta[c],  g = c * groups / C
#pragma once

#include <cstddef>

namespace bramble::kernels {

struct GroupnormShape {
  std::size_t pixels = 0;
  std::size_t channels = 0;
  std::size_t groups = 1;  ///< divides channels

  std::size_t group_channels() const { return channels / groups; }
};

/// for (g) { mean[g] = E[x]; rstd[g] = 1 / sqrt(E[(x - mean)^2] + eps); } of `parts` partial sums (batchnorm_stats_f32:
/// each C sums, then C sums of squares); for (c) { means[c] = mean[g]; scale[c] = gamma[c] * rstd[g]; }. All (=).
void groupnorm_finalise_f32(const GroupnormShape& shape, std::size_t parts, float eps, const double* partials,
                            const float* gamma, float* mean, float* rstd, float* means, float* scale);

/// means[c] (=) mean[g], what the backward's sums are taken about.
void groupnorm_spread_f32(const GroupnormShape& shape, const float* mean, float* means);

/// The per-channel vectors of the backward's data pass.
struct GroupnormCoefficients {
  float* scale;     ///< gamma * rstd
  float* slope;     ///< of x - mean
  float* constant;
};

/// Of `parts` partial sums (batchnorm_bwd_reduce_f32: each C sums of dy, then C of dy * (x - mean)):
///   dgamma[c] (=) rstd[g] * sum of dy * (x - mean);  dbeta[c] (=) sum of dy, of this image alone;
///   slope[c]    (=) -rstd^2 * (sum over the group of gamma * dgamma) / (M * C / groups)
///   constant[c] (=) -rstd * (sum over the group of gamma * dbeta) / (M * C / groups)
void groupnorm_bwd_coefficients_f32(const GroupnormShape& shape, std::size_t parts, const double* partials,
                                    const float* gamma, const float* rstd, float* dgamma, float* dbeta,
                                    const GroupnormCoefficients& coefficients);

/// dx (=) scale[c] * dy + slope[c] * (x - means[c]) + constant[c] (+ addend, unless null) for pixels [begin, end). dx may
/// be dy, x or addend.
void groupnorm_bwd_data_f32(const GroupnormShape& shape, std::size_t begin, std::size_t end, const float* dy,
                            const float* x, const float* means, const GroupnormCoefficients& coefficients,
                            const float* addend, float* dx);

/// Both passes whole, in double; mean and rstd of the groups are the forward's.
void groupnorm_fwd_f32_ref(const GroupnormShape& shape, float eps, const float* x, const float* gamma,
                           const float* beta, float* y, float* mean, float* rstd);
void groupnorm_bwd_f32_ref(const GroupnormShape& shape, const float* dy, const float* x, const float* gamma,
                           const float* mean, const float* rstd, float* dx, float* dgamma, float* dbeta);

}  // namespace bramble::kernels
