#include "kernels/bias/bias.h"

#include <gtest/gtest.h>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

TEST(Bias, RepeatsFromAnyStartToAnyEnd) {
  for (const std::size_t size : {1, 3, 7, 16, 17}) {
    const auto x = test::uniform(5 * size, 1);
    const auto b = test::uniform(size, 2);
    for (std::size_t begin = 0; begin < 5 * size; begin += 3) {
      for (std::size_t end = begin; end <= 5 * size; end += 5) {
        std::vector<float> y = x, expected = x;
        bias_fwd_f32(begin, end, size, y.data(), b.data(), y.data());
        bias_fwd_f32_ref(begin, end, size, x.data(), b.data(), expected.data());
        ASSERT_EQ(y, expected) << size << ": " << begin << " to " << end;
      }
    }
  }
}

}  // namespace
}  // namespace bramble::kernels
