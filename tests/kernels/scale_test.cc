#include "kernels/scale/scale.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

using test::uniform;

TEST(Scale, MatchesReferenceOverRowsAndChannels) {
  for (const std::size_t rows : {1, 3, 4, 5, 100}) {
    for (const std::size_t channels : {1, 3, 4, 7, 16, 17}) {
      const auto x = uniform(rows * channels + 1, 1);
      const auto dy = uniform(rows * channels + 1, 2);
      const auto gamma = uniform(channels + 1, 3);
      std::vector<float> y(rows * channels, 77), expected = y, dx = y, expected_dx = y;
      std::vector<float> dgamma(channels, 77), expected_dgamma = dgamma;
      scale_fwd_f32(0, rows, channels, x.data() + 1, gamma.data() + 1, y.data());
      scale_fwd_f32_ref(0, rows, channels, x.data() + 1, gamma.data() + 1, expected.data());
      ASSERT_EQ(y, expected);
      scale_bwd_f32(0, rows, channels, dy.data() + 1, x.data() + 1, gamma.data() + 1, dx.data(), dgamma.data());
      scale_bwd_f32_ref(0, rows, channels, dy.data() + 1, x.data() + 1, gamma.data() + 1, expected_dx.data(),
                        expected_dgamma.data());
      ASSERT_EQ(dx, expected_dx);
      for (std::size_t c = 0; c < channels; ++c)
        ASSERT_NEAR(dgamma[c], expected_dgamma[c], 1e-6 * std::sqrt(rows)) << rows << " x " << channels;
    }
  }
}

TEST(Scale, GradientsNobodyWantsAreNotWritten) {
  const auto x = uniform(60, 1);
  const auto dy = uniform(60, 2);
  const auto gamma = uniform(6, 3);
  std::vector<float> dx(60), dgamma(6), only_dx(60), only_dgamma(6);
  scale_bwd_f32(0, 10, 6, dy.data(), x.data(), gamma.data(), dx.data(), dgamma.data());
  scale_bwd_f32(0, 10, 6, dy.data(), x.data(), gamma.data(), only_dx.data(), nullptr);
  scale_bwd_f32(0, 10, 6, dy.data(), x.data(), gamma.data(), nullptr, only_dgamma.data());
  EXPECT_EQ(dx, only_dx);
  EXPECT_EQ(dgamma, only_dgamma);
}

}  // namespace
}  // namespace bramble::kernels
