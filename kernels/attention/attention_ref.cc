// The equations of attention.h as loops, in double.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

#include "kernels/attention/attention.h"

namespace bramble::kernels {
namespace {

double dot(std::int64_t count, const float* a, const float* b) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

/// Row `query` of p; returns the natural logarithm of its sum.
double softmax_row(const AttentionShape& shape, const AttentionInputs& inputs, std::int64_t query,
                   std::vector<double>& p) {
  p.resize(static_cast<std::size_t>(shape.keys));
  for (std::int64_t j = 0; j < shape.keys; ++j) {
    double& score = p[static_cast<std::size_t>(j)];
    score = static_cast<double>(shape.scale) * dot(shape.key_dim, inputs.q.row(query), inputs.k.row(j));
    if (inputs.bias.data) score += inputs.bias.row(j)[query];
    if (inputs.mask.data) score += inputs.mask.row(j)[query];
  }
  const double maximum = *std::max_element(p.begin(), p.end());
  double sum = 0;
  for (const double score : p) sum += std::exp(score - maximum);
  const double lse = maximum + std::log(sum);
  for (double& score : p) score = std::exp(score - lse);
  return lse;
}

}  // namespace

void attention_fwd_f32_ref(const AttentionShape& shape, const AttentionInputs& inputs, ListedRows<float> y,
                           float* lse) {
  std::vector<double> p;
  for (std::int64_t i = 0; i < shape.queries; ++i) {
    lse[i] = static_cast<float>(softmax_row(shape, inputs, i, p) / std::numbers::ln2);
    for (std::int64_t d = 0; d < shape.value_dim; ++d) {
      double sum = 0;
      for (std::int64_t j = 0; j < shape.keys; ++j) sum += p[static_cast<std::size_t>(j)] * inputs.v.row(j)[d];
      y.row(i)[d] = static_cast<float>(sum);
    }
  }
}

void attention_bwd_f32_ref(const AttentionShape& shape, const AttentionInputs& inputs, ListedRows<const float> dy,
                           const AttentionGradients& gradients) {
  const auto columns = [](std::int64_t count) { return static_cast<std::size_t>(count); };
  std::vector<double> p, dp(columns(shape.keys)), dq(columns(shape.key_dim));
  std::vector<double> dk(columns(shape.keys * shape.key_dim)), dv(columns(shape.keys * shape.value_dim));
  for (std::int64_t i = 0; i < shape.queries; ++i) {
    softmax_row(shape, inputs, i, p);
    double delta = 0;
    for (std::size_t j = 0; j < p.size(); ++j) {
      dp[j] = dot(shape.value_dim, dy.row(i), inputs.v.row(static_cast<std::int64_t>(j)));
      delta += p[j] * dp[j];
    }
    std::fill(dq.begin(), dq.end(), 0.0);
    for (std::size_t j = 0; j < p.size(); ++j) {
      const auto key = static_cast<std::int64_t>(j);
      const double ds = p[j] * (dp[j] - delta);
      if (gradients.dbias.data) gradients.dbias.row(key)[i] += static_cast<float>(ds);
      for (std::size_t d = 0; d < dq.size(); ++d) {
        dq[d] += shape.scale * ds * inputs.k.row(key)[d];
        dk[j * dq.size() + d] += shape.scale * ds * inputs.q.row(i)[d];
      }
      for (std::size_t d = 0; d < columns(shape.value_dim); ++d)
        dv[j * columns(shape.value_dim) + d] += p[j] * dy.row(i)[d];
    }
    for (std::size_t d = 0; gradients.dq.data && d < dq.size(); ++d) gradients.dq.row(i)[d] = static_cast<float>(dq[d]);
  }
  const auto store = [&](const std::vector<double>& from, std::int64_t dim, const ListedRows<float>& to) {
    for (std::int64_t j = 0; to.data && j < shape.keys; ++j)
      for (std::int64_t d = 0; d < dim; ++d) to.row(j)[d] = static_cast<float>(from[columns(j * dim + d)]);
  };
  store(dk, shape.key_dim, gradients.dk);
  store(dv, shape.value_dim, gradients.dv);
}

}  // namespace bramble::kernels
