#include "kernels/token/token.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

constexpr std::size_t kBatch = 3, kLength = 4, kChannels = 5;

TEST(Token, ComesBeforeTheOthersAndIsTakenOutAgain) {
  const auto x = test::uniform(kBatch * kLength * kChannels, 1);
  const auto token = test::uniform(kChannels, 2);
  std::vector<float> y(kBatch * (kLength + 1) * kChannels), back(x.size()), first(kBatch * kChannels);
  prepend_token_fwd_f32(0, kBatch, kLength, kChannels, x.data(), token.data(), y.data());
  select_token_fwd_f32(0, kBatch, kLength + 1, kChannels, 0, y.data(), first.data());
  for (std::size_t n = 0; n < kBatch; ++n)
    EXPECT_TRUE(std::equal(token.begin(), token.end(), first.begin() + static_cast<std::ptrdiff_t>(n * kChannels)));
  prepend_token_bwd_f32(0, kBatch, kLength, kChannels, y.data(), back.data());
  EXPECT_EQ(back, x);
}

TEST(Token, GradientReachesTheSelectedOneAlone) {
  const auto dy = test::uniform(kBatch * kChannels, 1);
  std::vector<float> dx(kBatch * kLength * kChannels, 77), selected(dy.size());
  select_token_bwd_f32(0, kBatch, kLength, kChannels, 2, dy.data(), dx.data());
  select_token_fwd_f32(0, kBatch, kLength, kChannels, 2, dx.data(), selected.data());
  EXPECT_EQ(selected, dy);
  EXPECT_EQ(std::count(dx.begin(), dx.end(), 0.0f), kBatch * (kLength - 1) * kChannels);
}

}  // namespace
}  // namespace bramble::kernels
