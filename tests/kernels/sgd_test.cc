#include "kernels/sgd/sgd.h"

#include <gtest/gtest.h>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

TEST(Sgd, MatchesReferenceOverSeveralSteps) {
  constexpr float kScale = 0.7f;
  for (const SgdUpdate& update : {SgdUpdate{0.1f, 0, 0, false}, SgdUpdate{0.1f, 0, 0.01f, false},
                                  SgdUpdate{0.05f, 0.9f, 0.01f, false}, SgdUpdate{0.05f, 0.9f, 0.01f, true}}) {
    for (const std::size_t size : {1, 3, 4, 7, 16, 33}) {
      std::vector<float> param = test::uniform(size + 2, 1), buffer(size + 2, 0);
      std::vector<float> expected = param, expected_buffer = buffer;
      for (std::uint64_t step = 0; step < 3; ++step) {
        const auto grad = test::uniform(size + 2, 10 + step);
        sgd_update_f32(update, kScale, 1, size + 1, param.data(), grad.data(),
                       update.momentum == 0 ? nullptr : buffer.data());
        sgd_update_f32_ref(update, kScale, 1, size + 1, expected.data(), grad.data(),
                           update.momentum == 0 ? nullptr : expected_buffer.data());
      }
      for (std::size_t i = 0; i < size + 2; ++i) {
        ASSERT_NEAR(param[i], expected[i], 1e-6) << i;
        ASSERT_NEAR(buffer[i], expected_buffer[i], 1e-6) << i;
      }
    }
  }
}

TEST(Sgd, PaddingOfZerosStaysZero) {
  std::vector<float> param(9, 0), grad(9, 0), buffer(9, 0);
  sgd_update_f32({0.1f, 0.9f, 0.1f, true}, 1, 0, 9, param.data(), grad.data(), buffer.data());
  EXPECT_EQ(param, std::vector<float>(9, 0));
}

}  // namespace
}  // namespace bramble::kernels
