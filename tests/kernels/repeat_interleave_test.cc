#include "kernels/repeat_interleave/repeat_interleave.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

TEST(RepeatInterleave, ItsRangeAloneMatchesReferenceMisaligned) {
  for (const std::size_t times : {1, 2, 3, 4, 7}) {
    for (const std::size_t count : {1, 3, 4, 15, 16, 17, 33, 64, 70}) {
      const std::size_t begin = count / 3, values = count + 5;
      const auto x = test::uniform(values + 1, 1), dy = test::uniform(values * times + 1, 2);
      std::vector<float> y(values * times + 1, 9.0f), expected_y = y, dx(values + 1, 9.0f), expected_dx = dx;
      repeat_interleave_fwd_f32(begin, count, times, x.data() + 1, y.data() + 1);
      repeat_interleave_fwd_f32_ref(begin, count, times, x.data() + 1, expected_y.data() + 1);
      ASSERT_EQ(y, expected_y) << times << " times, " << count;
      repeat_interleave_bwd_f32(begin, count, times, dy.data() + 1, dx.data() + 1);
      repeat_interleave_bwd_f32_ref(begin, count, times, dy.data() + 1, expected_dx.data() + 1);
      for (std::size_t i = 0; i < dx.size(); ++i) ASSERT_NEAR(dx[i], expected_dx[i], 1e-6) << times << " times";
    }
  }
}

/// torch.tensor([1., 2, 4]).repeat_interleave(2)
TEST(RepeatInterleave, IsPyTorchs) {
  const float x[] = {1, 2, 4};
  std::vector<float> y(6);
  repeat_interleave_fwd_f32(0, 3, 2, x, y.data());
  EXPECT_EQ(y, (std::vector<float>{1, 1, 2, 2, 4, 4}));
}

}  // namespace
}  // namespace bramble::kernels
