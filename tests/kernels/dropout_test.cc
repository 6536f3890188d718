#include "kernels/dropout/dropout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

/// The known answers that Random123 comes with.
TEST(Philox, IsRandom123s) {
  using Words = std::array<std::uint32_t, 4>;
  EXPECT_EQ(philox_4x32({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox_4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox_4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

const RandomStream kStream{0x0123456789abcdef, 7, 42};

TEST(Dropout, MatchesReferenceInSlices) {
  for (const std::size_t size : {1, 3, 4, 15, 16, 17, 31, 32, 100, 1000}) {
    for (const float rate : {0.0F, 0.1F, 0.5F, 0.999F}) {
      const std::vector<float> x = test::uniform(size + 1, 1);
      std::vector<float> y(size + 1), expected(size + 1);
      const std::size_t cut = size / 32 * 16;
      dropout_f32(kStream, rate, cut, size, x.data() + 1, y.data() + 1);
      dropout_f32(kStream, rate, 0, cut, x.data() + 1, y.data() + 1);
      dropout_f32_ref(kStream, rate, 0, size, x.data() + 1, expected.data() + 1);
      for (std::size_t i = 0; i <= size; ++i)
        ASSERT_FLOAT_EQ(y[i], expected[i]) << "element " << i << " of " << size << ", rate " << rate;
    }
  }
}

std::vector<float> mask(const RandomStream& stream, float rate, std::size_t size) {
  std::vector<float> ones(size, 1.0F);
  dropout_f32(stream, rate, 0, size, ones.data(), ones.data());
  return ones;
}

TEST(Dropout, KeepsItsShareAndTheMean) {
  constexpr std::size_t kSize = 100000;
  for (const float rate : {0.1F, 0.2F, 0.75F}) {
    double sum = 0;
    for (const float value : mask(kStream, rate, kSize)) sum += value;
    // Four standard deviations of a mean of kSize.
    EXPECT_NEAR(sum / kSize, 1, 4 * std::sqrt(rate / (1 - rate) / kSize)) << rate;
  }
}

TEST(Dropout, SeedLayerAndStepEachMakeAnotherMask) {
  const std::vector<float> first = mask({1, 2, 3}, 0.5F, 256);
  EXPECT_EQ(mask({1, 2, 3}, 0.5F, 256), first);
  for (const RandomStream& other :
       {RandomStream{2, 2, 3}, {1 + (std::uint64_t{1} << 32), 2, 3}, {1, 3, 3}, {1, 2, 4}}) {
    const std::vector<float> second = mask(other, 0.5F, 256);
    std::size_t equal = 0;
    for (std::size_t i = 0; i < first.size(); ++i) equal += first[i] == second[i];
    EXPECT_NEAR(static_cast<double>(equal), 128, 40);
  }
}

}  // namespace
}  // namespace bramble::kernels
