#include "kernels/linear_attention/linear_attention.h"

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

/// Around the tile of 7 and the block of 128, EfficientViT's 49 and 196 tokens; dims with every kind of tail.
std::vector<Sizes> sizes() {
  std::vector<Sizes> all;
  for (const std::int64_t length : {1, 6, 7, 8, 49, 127, 128, 129, 196})
    for (const std::int64_t dim : {1, 3, 7, 8, 9, 16, 32, 33}) all.push_back({length, dim});
  return all;
}

std::vector<float> scratch_of(std::int64_t floats) { return std::vector<float>(static_cast<std::size_t>(floats), NAN); }

struct Problem {
  LinearAttentionShape shape;
  Matrix q, k, v, dy;

  explicit Problem(const Sizes& s)
      : shape{s.length, s.dim, 1e-3F}, q(s.length, s.dim, 1), k(s.length, s.dim, 2), v(s.length, s.dim, 3),
        dy(s.length, s.dim, 4) {}
  HeadInputs inputs() const { return {q.read(), k.read(), v.read()}; }

  std::vector<float> empty_state() const {
    return scratch_of(shape.dim * linear_attention_state_width(shape.dim));
  }
  void forward(Matrix& y, std::vector<float>& state) const {
    std::vector<float> scratch = scratch_of(linear_attention_fwd_scratch_f32(shape));
    linear_attention_fwd_f32(shape, inputs(), y.write(), state.data(), scratch.data());
  }
};

testing::Message describe(const Sizes& s) { return testing::Message() << s.length << " rows, dim " << s.dim; }

TEST(LinearAttention, ForwardMatchesReference) {
  for (const Sizes& s : sizes()) {
    SCOPED_TRACE(describe(s));
    const Problem problem(s);
    Matrix y(s.length, s.dim, 9), expected = y;
    std::vector<float> state = problem.empty_state(), expected_state = state;
    problem.forward(y, state);
    linear_attention_fwd_f32_ref(problem.shape, problem.inputs(), expected.write(), expected_state.data());
    expect_near(y, expected, 2e-6F);
    for (std::size_t i = 0; i < state.size(); ++i)
      ASSERT_NEAR(state[i], expected_state[i], 2e-6F * std::sqrt(static_cast<float>(s.length))) << i;
  }
}

TEST(LinearAttention, BackwardMatchesReference) {
  for (const Sizes& s : sizes()) {
    SCOPED_TRACE(describe(s));
    const Problem problem(s);
    Matrix y(s.length, s.dim, 9);
    std::vector<float> state = problem.empty_state();
    problem.forward(y, state);
    Matrix dq(s.length, s.dim, 5), dk(s.length, s.dim, 6), dv(s.length, s.dim, 7);
    Matrix expected_dq = dq, expected_dk = dk, expected_dv = dv;
    std::vector<float> scratch = scratch_of(linear_attention_bwd_scratch_f32(problem.shape));
    linear_attention_bwd_f32(problem.shape, problem.inputs(), {y.read(), problem.dy.read(), state.data()},
                             {dq.write(), dk.write(), dv.write()}, scratch.data());
    linear_attention_bwd_f32_ref(problem.shape, problem.inputs(), problem.dy.read(),
                                 {expected_dq.write(), expected_dk.write(), expected_dv.write()});
    // A weight near eps makes large gradients: errors are in proportion to the largest.
    for (const auto& [actual, expected] :
         {std::pair{&dq, &expected_dq}, {&dk, &expected_dk}, {&dv, &expected_dv}}) {
      float largest = 1;
      for (const float value : expected->values) largest = std::max(largest, std::abs(value));
      expect_near(*actual, *expected, 5e-6F * largest);
    }
  }
}

TEST(LinearAttention, AQueryWithoutPositiveValuesGivesZeros) {
  Problem problem({9, 5});
  for (float& value : problem.q.values) value = -std::abs(value);
  Matrix y(9, 5, 9);
  std::vector<float> state = problem.empty_state();
  problem.forward(y, state);
  for (std::int64_t l = 0; l < 9; ++l)
    for (std::int64_t d = 0; d < 5; ++d) ASSERT_EQ(y.read().row(l)[d], 0) << l;
}

}  // namespace
}  // namespace bramble::kernels
