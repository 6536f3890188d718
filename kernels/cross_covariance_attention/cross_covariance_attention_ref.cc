// The equations of cross_covariance_attention.h as loops, in double.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "kernels/cross_covariance_attention/cross_covariance_attention.h"

namespace bramble::kernels {
namespace {

/// [dim][dim]
struct Square {
  std::int64_t dim;
  std::vector<double> values;

  explicit Square(std::int64_t width) : dim(width), values(static_cast<std::size_t>(width * width), 0.0) {}
  double& at(std::int64_t i, std::int64_t j) { return values[static_cast<std::size_t>(i * dim + j)]; }
};

Square products(const CrossCovarianceShape& shape, const MatrixRows<const float>& a, const MatrixRows<const float>& b) {
  Square sums(shape.dim);
  for (std::int64_t l = 0; l < shape.length; ++l)
    for (std::int64_t i = 0; i < shape.dim; ++i)
      for (std::int64_t j = 0; j < shape.dim; ++j) sums.at(i, j) += static_cast<double>(a.row(l)[i]) * b.row(l)[j];
  return sums;
}

struct Forward {
  std::vector<double> rq, rk;
  Square cosines, p;

  Forward(const CrossCovarianceShape& shape, const HeadInputs& inputs, double temperature)
      : rq(inverse_norms(shape, inputs.q)),
        rk(inverse_norms(shape, inputs.k)),
        cosines(products(shape, inputs.q, inputs.k)),
        p(shape.dim) {
    for (std::int64_t i = 0; i < shape.dim; ++i) {
      double largest = -INFINITY, sum = 0;
      for (std::int64_t j = 0; j < shape.dim; ++j) {
        cosines.at(i, j) *= rq[static_cast<std::size_t>(i)] * rk[static_cast<std::size_t>(j)];
        largest = std::max(largest, temperature * cosines.at(i, j));
      }
      for (std::int64_t j = 0; j < shape.dim; ++j)
        sum += p.at(i, j) = std::exp(temperature * cosines.at(i, j) - largest);
      for (std::int64_t j = 0; j < shape.dim; ++j) p.at(i, j) /= sum;
    }
  }

 private:
  static std::vector<double> inverse_norms(const CrossCovarianceShape& shape, const MatrixRows<const float>& x) {
    std::vector<double> norms(static_cast<std::size_t>(shape.dim), 0.0);
    for (std::int64_t l = 0; l < shape.length; ++l)
      for (std::size_t i = 0; i < norms.size(); ++i) norms[i] += static_cast<double>(x.row(l)[i]) * x.row(l)[i];
    for (double& norm : norms) norm = 1 / std::max(std::sqrt(norm), 1e-12);
    return norms;
  }
};

}  // namespace

void cross_covariance_attention_fwd_f32_ref(const CrossCovarianceShape& shape, const HeadInputs& inputs,
                                            float temperature, MatrixRows<float> y) {
  Forward forward(shape, inputs, temperature);
  for (std::int64_t l = 0; l < shape.length; ++l) {
    for (std::int64_t i = 0; i < shape.dim; ++i) {
      double sum = 0;
      for (std::int64_t j = 0; j < shape.dim; ++j) sum += forward.p.at(i, j) * inputs.v.row(l)[j];
      y.row(l)[i] = static_cast<float>(sum);
    }
  }
}

float cross_covariance_attention_bwd_f32_ref(const CrossCovarianceShape& shape, const HeadInputs& inputs,
                                             float temperature, MatrixRows<const float> dy,
                                             const HeadGradients& gradients) {
  const std::int64_t dim = shape.dim;
  Forward forward(shape, inputs, temperature);
  Square dp = products(shape, dy, inputs.v), da(dim);
  std::vector<double> along_q(static_cast<std::size_t>(dim), 0.0), along_k(along_q);
  double dtemperature = 0;
  for (std::int64_t i = 0; i < dim; ++i) {
    double mean = 0;
    for (std::int64_t j = 0; j < dim; ++j) mean += forward.p.at(i, j) * dp.at(i, j);
    for (std::int64_t j = 0; j < dim; ++j) {
      da.at(i, j) = forward.p.at(i, j) * (dp.at(i, j) - mean);
      const double term = da.at(i, j) * forward.cosines.at(i, j);
      along_q[static_cast<std::size_t>(i)] += temperature * term;
      along_k[static_cast<std::size_t>(j)] += temperature * term;
      dtemperature += term;
    }
  }
  for (std::int64_t l = 0; l < shape.length; ++l) {
    for (std::int64_t i = 0; i < dim; ++i) {
      const auto at = static_cast<std::size_t>(i);
      // Of the normalised vectors, then through the norms.
      double dq = 0, dk = 0, dv = 0;
      for (std::int64_t j = 0; j < dim; ++j) {
        const auto other = static_cast<std::size_t>(j);
        dq += temperature * da.at(i, j) * forward.rk[other] * inputs.k.row(l)[j];
        dk += temperature * da.at(j, i) * forward.rq[other] * inputs.q.row(l)[j];
        dv += forward.p.at(j, i) * dy.row(l)[j];
      }
      const double q = inputs.q.row(l)[i] * forward.rq[at], k = inputs.k.row(l)[i] * forward.rk[at];
      gradients.dq.row(l)[i] = static_cast<float>(forward.rq[at] * (dq - q * along_q[at]));
      gradients.dk.row(l)[i] = static_cast<float>(forward.rk[at] * (dk - k * along_k[at]));
      gradients.dv.row(l)[i] = static_cast<float>(dv);
    }
  }
  return static_cast<float>(dtemperature);
}

}  // namespace bramble::kernels
