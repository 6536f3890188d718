#include "kernels/activation/activation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/activation/activation_neon.h"
#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

using test::uniform;

constexpr Activation kAll[] = {Activation::none,       Activation::relu, Activation::relu6,   Activation::gelu,
                               Activation::hard_swish, Activation::silu, Activation::sigmoid, Activation::hard_sigmoid,
                               Activation::gelu_tanh,  Activation::tanh};
constexpr std::size_t kSizes[] = {0, 1, 3, 4, 7, 15, 16, 17, 33, 1000};

float exp_of(float x) { return vgetq_lane_f32(exp_f32x4(vdupq_n_f32(x)), 0); }

TEST(Exp, IsWithinTwoUnitsInTheLastPlace) {
  for (float x = -86.5f; x < 88.7f; x += 0.000931f) {
    const double exact = std::exp(static_cast<double>(x));
    const float nearest = static_cast<float>(exact);
    const double unit = std::nextafter(nearest, INFINITY) - nearest;
    ASSERT_LE(std::abs(exp_of(x) - exact), 2 * unit) << x;
  }
}

TEST(Exp, SaturatesAtBothEnds) {
  EXPECT_EQ(exp_of(0), 1.0f);
  EXPECT_EQ(exp_of(-1000), 0.0f);
  EXPECT_EQ(exp_of(-INFINITY), 0.0f);
  EXPECT_EQ(exp_of(100), INFINITY);
  EXPECT_EQ(exp_of(INFINITY), INFINITY);
}

TEST(Gelu, IsWithinOneMillionthOfTheExactOne) {
  for (float x = -20; x < 20; x += 0.00137f) {
    const double exact = activation_ref(Activation::gelu, x);
    ASSERT_NEAR(vgetq_lane_f32(gelu_f32x4(vdupq_n_f32(x)), 0), exact, std::max(1e-6, 6e-8 * std::abs(exact))) << x;
    const double gradient = activation_gradient_ref(Activation::gelu, x);
    ASSERT_NEAR(vgetq_lane_f32(gelu_bwd_f32x4(vdupq_n_f32(x)), 0), gradient, 1e-6) << x;
  }
}

TEST(Gelu, IsTheIdentityOrZeroFarOut) {
  for (const float x : {1e4f, 1e30f, INFINITY}) {
    EXPECT_EQ(vgetq_lane_f32(gelu_f32x4(vdupq_n_f32(x)), 0), x);
    EXPECT_NEAR(vgetq_lane_f32(gelu_f32x4(vdupq_n_f32(-x)), 0), 0, 1e-7);
    EXPECT_NEAR(vgetq_lane_f32(gelu_bwd_f32x4(vdupq_n_f32(x)), 0), 1, 1e-6);
    EXPECT_NEAR(vgetq_lane_f32(gelu_bwd_f32x4(vdupq_n_f32(-x)), 0), 0, 1e-6);
  }
}

TEST(Activation, ForwardMatchesReferenceOverSizesAndMisalignedStarts) {
  for (const Activation activation : kAll) {
    for (const std::size_t size : kSizes) {
      for (const std::size_t begin : {0, 1, 3}) {
        const auto x = uniform(begin + size + 1, size, -8, 8);
        std::vector<float> y(x.size(), 77), expected(x.size(), 77);
        activation_fwd_f32(activation, begin, begin + size, x.data(), y.data());
        activation_fwd_f32_ref(activation, begin, begin + size, x.data(), expected.data());
        for (std::size_t i = 0; i < x.size(); ++i)
          ASSERT_NEAR(y[i], expected[i], std::max(1e-6, 4e-7 * std::abs(expected[i]))) << size << " " << i;
      }
    }
  }
}

TEST(Activation, BackwardMatchesReferenceInPlaceOverSizes) {
  for (const Activation activation : kAll) {
    for (const std::size_t size : kSizes) {
      const auto saved = uniform(size, size, -8, 8);
      const auto dy = uniform(size, size + 1);
      std::vector<float> dx = dy, expected(size);
      activation_bwd_f32(activation, 0, size, dx.data(), saved.data(), dx.data());
      activation_bwd_f32_ref(activation, 0, size, dy.data(), saved.data(), expected.data());
      for (std::size_t i = 0; i < size; ++i)
        ASSERT_NEAR(dx[i], expected[i], std::max(1.2e-6, 4e-7 * std::abs(expected[i]))) << size << " " << i;
    }
  }
}

TEST(Sigmoid, IsWithinThreeUnitsInTheLastPlace) {
  for (float x = -86; x < 20; x += 0.00137f) {
    const double exact = activation_ref(Activation::sigmoid, x);
    ASSERT_NEAR(vgetq_lane_f32(sigmoid_f32x4(vdupq_n_f32(x)), 0), exact, 3 * 1.2e-7 * exact) << x;
  }
}

TEST(Sigmoid, SaturatesAndSiluIsTheIdentityOrZeroFarOut) {
  for (const float x : {100.0f, 1e4f, 1e30f}) {
    EXPECT_EQ(vgetq_lane_f32(sigmoid_f32x4(vdupq_n_f32(x)), 0), 1);
    EXPECT_EQ(vgetq_lane_f32(sigmoid_f32x4(vdupq_n_f32(-x)), 0), 0);
    EXPECT_EQ(vgetq_lane_f32(activate_f32x4<Activation::silu>(vdupq_n_f32(x)), 0), x);
    EXPECT_EQ(vgetq_lane_f32(activate_f32x4<Activation::silu>(vdupq_n_f32(-x)), 0), 0);
    EXPECT_EQ(vgetq_lane_f32(activation_bwd_f32x4<Activation::silu>(vdupq_n_f32(1), vdupq_n_f32(x)), 0), 1);
    EXPECT_EQ(vgetq_lane_f32(activation_bwd_f32x4<Activation::silu>(vdupq_n_f32(1), vdupq_n_f32(-x)), 0), 0);
  }
}

TEST(Activation, PassesNoGradientAtTheBounds) {
  const float saved[] = {0, 6, -0.0f, 3};
  const float dy[] = {1, 1, 1, 1};
  float dx[4];
  activation_bwd_f32(Activation::relu6, 0, 4, dy, saved, dx);
  EXPECT_EQ(std::vector<float>(dx, dx + 4), (std::vector<float>{0, 0, 0, 1}));
  activation_bwd_f32(Activation::relu, 0, 4, dy, saved, dx);
  EXPECT_EQ(std::vector<float>(dx, dx + 4), (std::vector<float>{0, 1, 0, 1}));
  const float gates[] = {0, 1, 0.25f, -0.0f};
  activation_bwd_f32(Activation::hard_sigmoid, 0, 4, dy, gates, dx);
  EXPECT_EQ(std::vector<float>(dx, dx + 4), (std::vector<float>{0, 0, 1.0f / 6, 0}));
}

}  // namespace
}  // namespace bramble::kernels
