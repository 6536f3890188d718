#include "kernels/sum_of_squares/sum_of_squares.h"

#include <gtest/gtest.h>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

TEST(SumOfSquares, MatchesReference) {
  for (const std::size_t size : {0, 1, 3, 4, 7, 16, 33, 1000}) {
    const auto x = test::uniform(size + 2, 1, -100, 100);
    const double expected = sum_of_squares_f32_ref(1, size + 1, x.data());
    ASSERT_NEAR(sum_of_squares_f32(1, size + 1, x.data()), expected, 1e-12 * expected) << size;
  }
}

TEST(SumOfSquares, SmallOnesBesideLargeOnesAreNotLost) {
  const std::vector<float> x = {1e15F, 1, 1, 1, 1e-20F};
  EXPECT_GT(sum_of_squares_f32(1, 4, x.data()), 2.999);
  EXPECT_NEAR(sum_of_squares_f32(0, 5, x.data()) / 1e30, 1, 1e-7);
}

}  // namespace
}  // namespace bramble::kernels
