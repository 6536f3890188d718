#include "kernels/drop_path/drop_path.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

TEST(DropPath, MatchesReference) {
  for (const std::size_t size : {1, 3, 4, 7, 64, 65}) {
    const std::vector<float> x = test::uniform(size + 1, 1), residual = test::uniform(size + 1, 2);
    for (const float factor : {0.0F, 1.0F, 1.25F}) {
      for (const float* addend : {static_cast<const float*>(nullptr), residual.data() + 1}) {
        std::vector<float> y(size + 1, 9), expected(y);
        drop_path_f32(factor, 0, size, x.data() + 1, addend, y.data() + 1);
        drop_path_f32_ref(factor, 0, size, x.data() + 1, addend, expected.data() + 1);
        for (std::size_t i = 0; i <= size; ++i) ASSERT_NEAR(y[i], expected[i], 2e-7F) << i;
      }
    }
  }
}

TEST(DropPath, WorksInPlaceOfEitherTerm) {
  const std::vector<float> x = test::uniform(37, 1), residual = test::uniform(37, 2);
  for (const float factor : {0.0F, 1.25F}) {
    std::vector<float> expected(37), in_x(x), in_residual(residual);
    drop_path_f32(factor, 0, 37, x.data(), residual.data(), expected.data());
    drop_path_f32(factor, 0, 37, in_x.data(), residual.data(), in_x.data());
    drop_path_f32(factor, 0, 37, x.data(), in_residual.data(), in_residual.data());
    EXPECT_EQ(in_x, expected);
    EXPECT_EQ(in_residual, expected);
  }
}

TEST(DropPath, ADroppedBranchHidesWhatIsNotFinite) {
  const float x[] = {NAN, INFINITY, 1};
  float y[3];
  drop_path_f32(0, 0, 3, x, nullptr, y);
  for (const float value : y) EXPECT_EQ(value, 0);
}

TEST(DropPath, FactorsAreZeroOrTheShareKept) {
  constexpr int kSamples = 20000;
  int kept = 0;
  for (int n = 0; n < kSamples; ++n) {
    const float factor = drop_path_factor({5, 1, 9}, 0.2F, static_cast<std::size_t>(n));
    if (factor == 0) continue;
    EXPECT_FLOAT_EQ(factor, 1.25F);
    ++kept;
  }
  EXPECT_NEAR(kept, 0.8 * kSamples, 4 * std::sqrt(0.16 * kSamples));
}

}  // namespace
}  // namespace bramble::kernels
