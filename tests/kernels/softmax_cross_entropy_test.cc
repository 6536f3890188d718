#include "kernels/softmax_cross_entropy/softmax_cross_entropy.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

constexpr std::size_t kRows = 5;

std::vector<std::int32_t> labels(std::size_t classes) {
  std::vector<std::int32_t> result;
  for (std::size_t r = 0; r < kRows; ++r) result.push_back(static_cast<std::int32_t>((3 * r + 1) % classes));
  return result;
}

TEST(SoftmaxCrossEntropy, MatchesReferenceOverClassesAndSmoothing) {
  for (const std::size_t classes : {1, 2, 3, 4, 7, 16, 17, 1000}) {
    for (const float smoothing : {0.0f, 0.1f}) {
      const SoftmaxCrossEntropy shape{kRows, classes, smoothing};
      const auto logits = test::uniform(kRows * classes, classes, -10, 10);
      std::vector<double> losses(kRows), expected_losses(kRows);
      std::vector<float> gradient(logits.size()), expected(logits.size());
      softmax_cross_entropy_f32(shape, 0, 2, logits.data(), labels(classes).data(), losses.data(), gradient.data());
      softmax_cross_entropy_f32(shape, 2, kRows, logits.data(), labels(classes).data(), losses.data(),
                                gradient.data());
      softmax_cross_entropy_f32_ref(shape, 0, kRows, logits.data(), labels(classes).data(), expected_losses.data(),
                                    expected.data());
      for (std::size_t r = 0; r < kRows; ++r) ASSERT_NEAR(losses[r], expected_losses[r], 2e-6) << classes;
      for (std::size_t i = 0; i < logits.size(); ++i) ASSERT_NEAR(gradient[i], expected[i], 1e-7) << classes;
    }
  }
}

TEST(SoftmaxCrossEntropy, EachRowsGradientSumsToZero) {
  const SoftmaxCrossEntropy shape{kRows, 37, 0.1f};
  const auto logits = test::uniform(kRows * 37, 1, -3, 3);
  std::vector<double> losses(kRows);
  std::vector<float> gradient = logits;  // in place
  softmax_cross_entropy_f32(shape, 0, kRows, gradient.data(), labels(37).data(), losses.data(), gradient.data());
  for (std::size_t r = 0; r < kRows; ++r) {
    double sum = 0;
    for (std::size_t k = 0; k < 37; ++k) sum += gradient[r * 37 + k];
    EXPECT_NEAR(sum, 0, 1e-7);
  }
}

TEST(SoftmaxCrossEntropy, HugeLogitsStayFinite) {
  const float logits[] = {1e30f, -1e30f, 0, 5, 1e30f};
  const std::int32_t label = 4;
  double loss;
  float gradient[5];
  softmax_cross_entropy_f32({1, 5, 0}, 0, 1, logits, &label, &loss, gradient);
  EXPECT_NEAR(loss, std::log(2.0), 1e-6);
  EXPECT_NEAR(gradient[0], 0.5, 1e-6);
  EXPECT_NEAR(gradient[4], -0.5, 1e-6);
}

}  // namespace
}  // namespace bramble::kernels
