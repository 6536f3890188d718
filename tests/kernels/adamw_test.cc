#include "kernels/adamw/adamw.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

AdamwUpdate at_step(int t, float weight_decay, float eps) {
  const float beta1 = 0.9F, beta2 = 0.999F;
  return {0.01F, beta1, beta2, eps, weight_decay, static_cast<float>(1 - std::pow(0.9, t)),
          static_cast<float>(1 - std::pow(0.999, t))};
}

TEST(Adamw, MatchesReferenceOverSeveralSteps) {
  for (const float weight_decay : {0.0F, 0.05F}) {
    for (const float scale : {1.0F, 0.3F}) {
      for (const std::size_t size : {1, 3, 4, 7, 16, 33}) {
        std::vector<float> param = test::uniform(size + 2, 1), mean(size + 2, 0), variance(size + 2, 0);
        std::vector<float> expected = param, expected_mean = mean, expected_variance = variance;
        for (int step = 1; step <= 4; ++step) {
          const auto grad = test::uniform(size + 2, 10 + static_cast<std::uint64_t>(step));
          const AdamwUpdate update = at_step(step, weight_decay, 1e-8F);
          adamw_update_f32(update, scale, 1, size + 1, param.data(), grad.data(), mean.data(), variance.data());
          adamw_update_f32_ref(update, scale, 1, size + 1, expected.data(), grad.data(), expected_mean.data(),
                               expected_variance.data());
        }
        for (std::size_t i = 0; i < size + 2; ++i) {
          ASSERT_NEAR(param[i], expected[i], 1e-6) << i;
          ASSERT_NEAR(mean[i], expected_mean[i], 1e-6) << i;
          ASSERT_NEAR(variance[i], expected_variance[i], 1e-6) << i;
        }
      }
    }
  }
}

TEST(Adamw, TheFirstStepIsTheRateAgainstTheGradientsSign) {
  std::vector<float> param = {1, 1, 1}, mean(3, 0), variance(3, 0);
  const std::vector<float> grad = {5, -0.001F, 100};
  adamw_update_f32(at_step(1, 0, 0), 1, 0, 3, param.data(), grad.data(), mean.data(), variance.data());
  EXPECT_NEAR(param[0], 0.99, 1e-6);
  EXPECT_NEAR(param[1], 1.01, 1e-6);
  EXPECT_NEAR(param[2], 0.99, 1e-6);
}

TEST(Adamw, PaddingOfZerosStaysZero) {
  std::vector<float> param(9, 0), grad(9, 0), mean(9, 0), variance(9, 0);
  adamw_update_f32(at_step(1, 0.1F, 1e-8F), 1, 0, 9, param.data(), grad.data(), mean.data(), variance.data());
  EXPECT_EQ(param, std::vector<float>(9, 0));
}

}  // namespace
}  // namespace bramble::kernels
