#include "kernels/add/add.h"

#include <gtest/gtest.h>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

TEST(Add, MatchesReferenceOverSizesMisalignedAndInPlace) {
  for (const Activation activation : {Activation::none, Activation::relu, Activation::relu6}) {
    for (const std::size_t size : {0, 1, 3, 7, 15, 16, 17, 100}) {
      const auto a = test::uniform(size + 2, 1, -8, 8);
      const auto b = test::uniform(size + 2, 2, -8, 8);
      std::vector<float> y = a, expected = a;
      add_fwd_f32(activation, 1, 1 + size, y.data(), b.data(), y.data());
      add_fwd_f32_ref(activation, 1, 1 + size, a.data(), b.data(), expected.data());
      ASSERT_EQ(y, expected) << size;
    }
  }
}

}  // namespace
}  // namespace bramble::kernels
