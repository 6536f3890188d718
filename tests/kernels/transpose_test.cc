#include "kernels/transpose/transpose.h"

#include <gtest/gtest.h>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

using test::uniform;

constexpr std::size_t kSizes[] = {1, 3, 4, 5, 15, 16, 17, 33};

TEST(Transpose, MatchesTheReferenceInSlicesWithAndWithoutAddend) {
  for (const std::size_t rows : kSizes) {
    for (const std::size_t cols : kSizes) {
      const auto x = uniform(rows * cols + 1, 1);
      const auto addend = uniform(rows * cols + 1, 2);
      for (const float* term : {static_cast<const float*>(nullptr), addend.data() + 1}) {
        std::vector<float> y(rows * cols, 77), expected = y;
        const std::size_t split = cols / 2;
        transpose_fwd_f32({rows, cols}, 0, split, x.data() + 1, term, y.data());
        transpose_fwd_f32({rows, cols}, split, cols, x.data() + 1, term, y.data());
        transpose_fwd_f32_ref({rows, cols}, x.data() + 1, term, expected.data());
        EXPECT_EQ(y, expected) << rows << " x " << cols;
      }
    }
  }
}

TEST(Transpose, TheAddendMayBeOverwritten) {
  const auto x = uniform(19 * 6, 1);
  auto y = uniform(19 * 6, 2), expected = y;
  transpose_fwd_f32_ref({19, 6}, x.data(), y.data(), expected.data());
  transpose_fwd_f32({19, 6}, 0, 6, x.data(), y.data(), y.data());
  EXPECT_EQ(y, expected);
}

}  // namespace
}  // namespace bramble::kernels
