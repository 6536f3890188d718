#include "kernels/cross_covariance_attention/cross_covariance_attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/support/strided_matrix.h"

namespace bramble::kernels {
namespace {

using test::expect_near;
using Matrix = test::StridedMatrix;

struct Sizes {
  std::int64_t length, dim;
};

/// Around the tile of 7 and the block of 96, EdgeNeXt's 49, 196 and 784 tokens and its dims.
std::vector<Sizes> sizes() {
  std::vector<Sizes> all;
  for (const std::int64_t length : {2, 7, 49, 95, 96, 97, 196})
    for (const std::int64_t dim : {1, 3, 8, 12, 25, 38}) all.push_back({length, dim});
  all.push_back({784, 20});
  all.push_back({49, 73});
  return all;
}

std::vector<float> not_a_number(std::int64_t floats) {
  return std::vector<float>(static_cast<std::size_t>(floats), NAN);
}

struct Problem {
  CrossCovarianceShape shape;
  Matrix q, k, v, dy;
  float temperature;
  std::vector<float> cosines, norms;

  explicit Problem(const Sizes& s, float t = 1.5F)
      : shape{s.length, s.dim}, q(s.length, s.dim, 1), k(s.length, s.dim, 2), v(s.length, s.dim, 3),
        dy(s.length, s.dim, 4), temperature(t), cosines(not_a_number(s.dim * cross_covariance_width(s.dim))),
        norms(not_a_number(2 * s.dim)) {}
  HeadInputs inputs() const { return {q.read(), k.read(), v.read()}; }

  void forward(Matrix& y) {
    std::vector<float> scratch = not_a_number(cross_covariance_attention_fwd_scratch_f32(shape));
    cross_covariance_attention_fwd_f32(shape, inputs(), temperature, y.write(),
                                       {cosines.data(), norms.data(), norms.data() + shape.dim}, scratch.data());
  }
  float backward(Matrix& dq, Matrix& dk, Matrix& dv) const {
    std::vector<float> scratch = not_a_number(cross_covariance_attention_bwd_scratch_f32(shape));
    return cross_covariance_attention_bwd_f32(shape, inputs(), temperature, dy.read(),
                                              {cosines.data(), norms.data(), norms.data() + shape.dim},
                                              {dq.write(), dk.write(), dv.write()}, scratch.data());
  }
};

testing::Message describe(const Sizes& s) { return testing::Message() << s.length << " tokens, dim " << s.dim; }

TEST(CrossCovarianceAttention, ForwardMatchesReference) {
  for (const Sizes& s : sizes()) {
    for (const float temperature : {1.5F, -20.0F, 300.0F}) {
      SCOPED_TRACE(describe(s));
      Problem problem(s, temperature);
      Matrix y(s.length, s.dim, 9), expected = y;
      problem.forward(y);
      cross_covariance_attention_fwd_f32_ref(problem.shape, problem.inputs(), temperature, expected.write());
      // exp makes a relative error of an absolute one.
      expect_near(y, expected, 2e-6F + 1e-6F * std::abs(temperature));
    }
  }
}

TEST(CrossCovarianceAttention, BackwardMatchesReference) {
  for (const Sizes& s : sizes()) {
    SCOPED_TRACE(describe(s));
    Problem problem(s);
    Matrix y(s.length, s.dim, 9);
    problem.forward(y);
    Matrix dq(s.length, s.dim, 5), dk(s.length, s.dim, 6), dv(s.length, s.dim, 7);
    Matrix expected_dq = dq, expected_dk = dk, expected_dv = dv;
    const float dtemperature = problem.backward(dq, dk, dv);
    const float expected = cross_covariance_attention_bwd_f32_ref(
        problem.shape, problem.inputs(), problem.temperature, problem.dy.read(),
        {expected_dq.write(), expected_dk.write(), expected_dv.write()});
    const float allowed = 5e-6F * std::sqrt(static_cast<float>(s.dim));
    expect_near(dq, expected_dq, allowed);
    expect_near(dk, expected_dk, allowed);
    expect_near(dv, expected_dv, allowed);
    EXPECT_NEAR(dtemperature, expected, 5e-7F * static_cast<float>(s.dim * s.length));
  }
}

TEST(CrossCovarianceAttention, AChannelOfZerosAttendsToAllAlike) {
  const Sizes s{10, 4};
  Problem problem(s);
  for (std::int64_t l = 0; l < s.length; ++l) problem.q.write().row(l)[2] = 0;
  Matrix y(s.length, s.dim, 9);
  problem.forward(y);
  for (std::int64_t l = 0; l < s.length; ++l) {
    const float* v = problem.v.read().row(l);
    EXPECT_NEAR(y.read().row(l)[2], (v[0] + v[1] + v[2] + v[3]) / 4, 1e-6F) << l;
  }
}

}  // namespace
}  // namespace bramble::kernels
