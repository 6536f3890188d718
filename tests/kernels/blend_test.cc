#include "kernels/blend/blend.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

TEST(Blend, MatchesReference) {
  for (const float keep : {0.0F, 1.0F, 0.99F}) {
    for (const std::size_t size : {1, 3, 4, 7, 16, 33}) {
      std::vector<float> y = test::uniform(size + 2, 1);
      std::vector<float> expected = y;
      const auto x = test::uniform(size + 2, 2);
      blend_f32(keep, 0.25F, 1, size + 1, y.data(), x.data());
      blend_f32_ref(keep, 0.25F, 1, size + 1, expected.data(), x.data());
      for (std::size_t i = 0; i < size + 2; ++i) ASSERT_NEAR(y[i], expected[i], 1e-7) << i;
    }
  }
}

TEST(Blend, WhatIsNotKeptIsNotRead) {
  std::vector<float> y(5, std::numeric_limits<float>::quiet_NaN());
  const std::vector<float> x = {1, 2, 3, 4, 5};
  blend_f32(0, 2, 0, 5, y.data(), x.data());
  EXPECT_EQ(y, (std::vector<float>{2, 4, 6, 8, 10}));
}

}  // namespace
}  // namespace bramble::kernels
