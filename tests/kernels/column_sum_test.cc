#include "kernels/column_sum/column_sum.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

TEST(ColumnSum, MatchesReferenceOverRowsAndColumns) {
  for (const std::size_t rows : {0, 1, 3, 63, 64, 65, 200}) {
    for (const std::size_t columns : {1, 3, 7, 15, 16, 17, 40}) {
      const std::size_t stride = columns + 2;
      const auto x = test::uniform(rows * stride + 3, rows);
      std::vector<float> sum(columns + 1, 77), expected(columns + 1, 77);
      column_sum_f32(0, rows, 0, columns, stride, x.data() + 1, sum.data());
      column_sum_f32_ref(0, rows, 0, columns, stride, x.data() + 1, expected.data());
      for (std::size_t c = 0; c <= columns; ++c) {
        ASSERT_NEAR(sum[c], expected[c], 1e-6 * std::sqrt(rows + 1.0)) << rows << " x " << columns << ", " << c;
      }
    }
  }
}

TEST(ColumnSum, ARangeOfColumnsLeavesTheOthers) {
  const auto x = test::uniform(100, 1);
  std::vector<float> sum(10, 77);
  column_sum_f32(2, 7, 3, 8, 10, x.data(), sum.data());
  EXPECT_EQ(sum[2], 77);
  EXPECT_EQ(sum[8], 77);
  EXPECT_NEAR(sum[3], x[23] + x[33] + x[43] + x[53] + x[63], 1e-6);
}

}  // namespace
}  // namespace bramble::kernels
