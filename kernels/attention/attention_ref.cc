// The equations of attention.h as loops, in double.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "kernels/attention/attention.h"

namespace bramble::kernels {
namespace {

double dot(std::int64_t count, const float* a, const float* b) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

/// Row `query` of p; returns its lse.
double softmax_row(const AttentionShape& shape, const AttentionInputs& inputs, std::int64_t query,
                   std::vector<double>& p) {
  p.resize(static_cast<std::size_t>(shape.keys));
  for (std::int64_t j = 0; j < shape.keys; ++j)
    p[static_cast<std::size_t>(j)] =
        static_cast<double>(shape.scale) * dot(shape.head_dim, inputs.q.row(query), inputs.k.row(j));
  const double maximum = *std::max_element(p.begin(), p.end());
  double sum = 0;
  for (const double score : p) sum += std::exp(score - maximum);
  const double lse = maximum + std::log(sum);
  for (double& score : p) score = std::exp(score - lse);
  return lse;
}

}  // namespace

void attention_fwd_f32_ref(const AttentionShape& shape, const AttentionInputs& inputs, MatrixRows<float> y,
                           float* lse) {
  std::vector<double> p;
  for (std::int64_t i = 0; i < shape.queries; ++i) {
    lse[i] = static_cast<float>(softmax_row(shape, inputs, i, p));
    for (std::int64_t d = 0; d < shape.head_dim; ++d) {
      double sum = 0;
      for (std::int64_t j = 0; j < shape.keys; ++j) sum += p[static_cast<std::size_t>(j)] * inputs.v.row(j)[d];
      y.row(i)[d] = static_cast<float>(sum);
    }
  }
}

void attention_bwd_f32_ref(const AttentionShape& shape, const AttentionInputs& inputs, MatrixRows<const float> dy,
                           const AttentionGradients& gradients) {
  const std::int64_t dim = shape.head_dim;
  std::vector<double> p, dp(static_cast<std::size_t>(shape.keys));
  std::vector<double> dk(static_cast<std::size_t>(shape.keys * dim)), dv(dk.size()), dq(static_cast<std::size_t>(dim));
  for (std::int64_t i = 0; i < shape.queries; ++i) {
    softmax_row(shape, inputs, i, p);
    double delta = 0;
    for (std::size_t j = 0; j < p.size(); ++j) {
      dp[j] = dot(dim, dy.row(i), inputs.v.row(static_cast<std::int64_t>(j)));
      delta += p[j] * dp[j];
    }
    std::fill(dq.begin(), dq.end(), 0.0);
    for (std::size_t j = 0; j < p.size(); ++j) {
      const double ds = shape.scale * p[j] * (dp[j] - delta);
      for (std::size_t d = 0; d < dq.size(); ++d) {
        dq[d] += ds * inputs.k.row(static_cast<std::int64_t>(j))[d];
        dk[j * dq.size() + d] += ds * inputs.q.row(i)[d];
        dv[j * dq.size() + d] += p[j] * dy.row(i)[d];
      }
    }
    for (std::size_t d = 0; d < dq.size(); ++d) gradients.dq.row(i)[d] = static_cast<float>(dq[d]);
  }
  for (std::size_t j = 0; j < p.size(); ++j) {
    for (std::size_t d = 0; d < dq.size(); ++d) {
      gradients.dk.row(static_cast<std::int64_t>(j))[d] = static_cast<float>(dk[j * dq.size() + d]);
      gradients.dv.row(static_cast<std::int64_t>(j))[d] = static_cast<float>(dv[j * dq.size() + d]);
    }
  }
}

}  // namespace bramble::kernels
