#include "kernels/concat/concat.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

TEST(Concat, CopiesTheRangeAloneOverSizesAndMisaligned) {
  constexpr std::size_t kRows = 5;
  for (const std::size_t channels : {1, 2, 3, 4, 7, 15, 16, 17, 64, 70}) {
    for (const std::size_t more : {0, 1, 4, 9}) {
      const std::size_t x_pitch = channels + more, y_pitch = channels + 2 * more;
      const auto x = test::uniform(kRows * x_pitch + 1, channels);
      for (const float* from : {x.data() + 1, static_cast<const float*>(nullptr)}) {
        std::vector<float> y(kRows * y_pitch + 1, 9.0f), expected = y;
        copy_channels_f32(1, 4, channels, from, x_pitch, y.data() + 1, y_pitch);
        copy_channels_f32_ref(1, 4, channels, from, x_pitch, expected.data() + 1, y_pitch);
        ASSERT_EQ(y, expected) << channels << " channels in " << x_pitch << " and " << y_pitch;
      }
    }
  }
}

}  // namespace
}  // namespace bramble::kernels
