#include "kernels/lion/lion.h"

#include <gtest/gtest.h>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

TEST(Lion, MatchesReferenceOverSeveralSteps) {
  for (const LionUpdate& update : {LionUpdate{0.01F, 0.9F, 0.99F, 0}, LionUpdate{0.01F, 0.9F, 0.99F, 0.1F}}) {
    for (const std::size_t size : {1, 3, 4, 7, 16, 33}) {
      std::vector<float> param = test::uniform(size + 2, 1), mean(size + 2, 0);
      std::vector<float> expected = param, expected_mean = mean;
      for (std::uint64_t step = 0; step < 4; ++step) {
        const auto grad = test::uniform(size + 2, 10 + step);
        lion_update_f32(update, 0.7F, 1, size + 1, param.data(), grad.data(), mean.data());
        lion_update_f32_ref(update, 0.7F, 1, size + 1, expected.data(), grad.data(), expected_mean.data());
      }
      for (std::size_t i = 0; i < size + 2; ++i) {
        ASSERT_NEAR(param[i], expected[i], 1e-6) << i;
        ASSERT_NEAR(mean[i], expected_mean[i], 1e-6) << i;
      }
    }
  }
}

TEST(Lion, PaddingOfZerosStaysZero) {
  std::vector<float> param(9, 0), grad(9, 0), mean(9, 0);
  lion_update_f32({0.1F, 0.9F, 0.99F, 0.1F}, 1, 0, 9, param.data(), grad.data(), mean.data());
  EXPECT_EQ(param, std::vector<float>(9, 0));
}

}  // namespace
}  // namespace bramble::kernels
