#include "kernels/gather_tokens/gather_tokens.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

// y's five tokens: one of the first sequence, none, one of the second, two and three summed.
constexpr std::int32_t kStarts[] = {0, 1, 1, 2, 4, 7};
constexpr std::int32_t kRows[] = {2, 4, 0, 3, 1, 1, 5};
constexpr std::int64_t kLength = 5, kFirst = 3, kSecond = 3, kImages = 3;

TEST(GatherTokens, SumsTheListedTokensOfTwoSequences) {
  for (const std::int64_t channels : {1, 3, 4, 7, 16, 33}) {
    const auto count = static_cast<std::size_t>(kImages * kFirst * channels);
    const auto first = test::uniform(count, 1), second = test::uniform(count, 2);
    std::vector<float> y(static_cast<std::size_t>(kImages * kLength * channels) + 1, 77);
    const TokenLists lists{kLength, kStarts, kRows};
    for (const auto& [begin, end] : {std::pair<std::int64_t, std::int64_t>{7, 15}, {0, 7}})
      gather_tokens_f32(begin, end, channels, lists, {first.data(), kFirst}, {second.data(), kSecond}, y.data());
    for (std::int64_t at = 0; at < kImages * kLength * channels; ++at) {
      const std::int64_t n = at / channels / kLength, i = at / channels % kLength, c = at % channels;
      double sum = 0;
      for (std::int32_t k = kStarts[i]; k < kStarts[i + 1]; ++k) {
        const std::int64_t row = kRows[k] % kFirst;
        sum += (kRows[k] < kFirst ? first : second)[static_cast<std::size_t>((n * kFirst + row) * channels + c)];
      }
      ASSERT_NEAR(y[static_cast<std::size_t>(at)], sum, 3e-7) << "token " << i << " of image " << n;
    }
    EXPECT_EQ(y.back(), 77);
  }
}

}  // namespace
}  // namespace bramble::kernels
