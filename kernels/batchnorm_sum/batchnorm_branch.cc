// The short steps between the passes, channel by channel in double.
#include <algorithm>
#include <cmath>

#include "kernels/batchnorm_sum/batchnorm_sum.h"

namespace bramble::kernels {
namespace {

double signed_scale(const BatchnormBranch& branch, std::size_t c) {
  return static_cast<double>(branch.sign) * (branch.layer_scale ? branch.layer_scale[c] : 1.0f);
}

void add(float* to, std::size_t c, double value) {
  if (to != nullptr) to[c] = static_cast<float>(to[c] + value);
}

void set(float* to, std::size_t c, double value) {
  if (to != nullptr) to[c] = static_cast<float>(value);
}

}  // namespace

void batchnorm_branch_finalise_f32(const BatchnormFinalise& shape, std::size_t channel_begin, std::size_t channel_end,
                                   const double* partials, const BatchnormBranch& branch, float* running_mean,
                                   float* running_var, float* mean, float* rstd, float* scale, float* beta) {
  const double rows = static_cast<double>(shape.rows), momentum = shape.momentum;
  for (std::size_t c = channel_begin; c < channel_end; ++c) {
    double sum = 0, squares = 0;
    for (std::size_t part = 0; part < shape.parts; ++part) {
      sum += partials[part * 2 * shape.channels + c];
      squares += partials[(part * 2 + 1) * shape.channels + c];
    }
    const double average = sum / rows, w = branch.w ? branch.w[c] : 1.0f;
    const double variance = w * w * std::max(squares / rows - average * average, 0.0);
    const double inverse = 1 / std::sqrt(variance + shape.eps);
    mean[c] = static_cast<float>(average);
    rstd[c] = static_cast<float>(inverse);
    add(scale, c, branch.factor(c, inverse));
    add(beta, c, signed_scale(branch, c) * branch.beta[c]);
    running_mean[c] = static_cast<float>((1 - momentum) * running_mean[c] + momentum * w * average);
    running_var[c] = static_cast<float>((1 - momentum) * running_var[c] + momentum * variance * rows / (rows - 1));
  }
}

void batchnorm_branch_running_f32(std::size_t channel_begin, std::size_t channel_end, float eps,
                                  const BatchnormBranch& branch, const float* running_mean, const float* running_var,
                                  const float* centre, float* mean, float* rstd, float* scale, float* beta) {
  for (std::size_t c = channel_begin; c < channel_end; ++c) {
    const double inverse = 1 / std::sqrt(static_cast<double>(running_var[c]) + eps);
    const double factor = branch.factor(c, inverse);
    const double offset = static_cast<double>(centre[c]) - running_mean[c];
    mean[c] = running_mean[c];
    rstd[c] = static_cast<float>(inverse);
    add(scale, c, factor);
    add(beta, c, signed_scale(branch, c) * branch.beta[c] + factor * offset);
  }
}

void batchnorm_branch_bwd_f32(std::size_t channel_begin, std::size_t channel_end, const BatchnormBranchBackward& in,
                              const BatchnormBranch& branch, const BatchnormBranchGradients& out) {
  const double rows = static_cast<double>(in.rows);
  for (std::size_t c = channel_begin; c < channel_end; ++c) {
    const double g = in.g[c], rstd = in.rstd[c], w = branch.w ? branch.w[c] : 1.0f;
    const double gx = in.gx[c] + (static_cast<double>(in.centre[c]) - in.mean[c]) * g;
    const double times_normalised = w * rstd * gx;  // sum of g * xhat
    const double share = signed_scale(branch, c), factor = branch.factor(c, rstd);
    set(out.dgamma, c, share * times_normalised);
    set(out.dbeta, c, share * g);
    add(out.dlayer_scale, c, branch.sign * (branch.gamma[c] * times_normalised + branch.beta[c] * g));
    set(out.dw, c, share * branch.gamma[c] * gx * in.eps * rstd * rstd * rstd);
    if (!in.training) continue;
    add(out.slope, c, -factor * w * rstd * times_normalised / rows);
    add(out.constant, c, -factor * g / rows);
  }
}

}  // namespace bramble::kernels
