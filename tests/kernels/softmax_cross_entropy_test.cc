#include "kernels/softmax_cross_entropy/softmax_cross_entropy.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

constexpr std::size_t kRows = 5;

std::vector<std::int32_t> make_labels(std::size_t classes, std::size_t step = 3) {
  std::vector<std::int32_t> result;
  for (std::size_t r = 0; r < kRows; ++r) result.push_back(static_cast<std::int32_t>((step * r + 1) % classes));
  return result;
}

TEST(SoftmaxCrossEntropy, MatchesReferenceOverClassesAndSmoothing) {
  for (const std::size_t classes : {1, 2, 3, 4, 7, 16, 17, 1000}) {
    for (const float smoothing : {0.0f, 0.1f}) {
      const SoftmaxCrossEntropy shape{kRows, classes, smoothing};
      const auto labels = make_labels(classes);
      const auto logits = test::uniform(kRows * classes, classes, -10, 10);
      std::vector<double> losses(kRows), expected_losses(kRows);
      std::vector<float> gradient(logits.size()), expected(logits.size());
      softmax_cross_entropy_f32(shape, 0, 2, logits.data(), {labels.data()}, losses.data(), gradient.data());
      softmax_cross_entropy_f32(shape, 2, kRows, logits.data(), {labels.data()}, losses.data(),
                                gradient.data());
      softmax_cross_entropy_f32_ref(shape, 0, kRows, logits.data(), {labels.data()}, expected_losses.data(),
                                    expected.data());
      for (std::size_t r = 0; r < kRows; ++r) ASSERT_NEAR(losses[r], expected_losses[r], 2e-6) << classes;
      for (std::size_t i = 0; i < logits.size(); ++i) ASSERT_NEAR(gradient[i], expected[i], 1e-7) << classes;
    }
  }
}

TEST(SoftmaxCrossEntropy, MixedLabelsMatchReference) {
  const std::vector<float> shares = {1, 0.75f, 0.5f, 0, 0.9f};
  for (const std::size_t classes : {1, 2, 3, 7, 17, 1000}) {
    for (const float smoothing : {0.0f, 0.1f}) {
      const SoftmaxCrossEntropy shape{kRows, classes, smoothing};
      const auto labels = make_labels(classes), others = make_labels(classes, 5);  // the first row's are the same
      const Targets targets{labels.data(), others.data(), shares.data()};
      const auto logits = test::uniform(kRows * classes, classes, -10, 10);
      std::vector<double> losses(kRows), expected_losses(kRows);
      std::vector<float> gradient(logits.size()), expected(logits.size());
      softmax_cross_entropy_f32(shape, 0, kRows, logits.data(), targets, losses.data(), gradient.data());
      softmax_cross_entropy_f32_ref(shape, 0, kRows, logits.data(), targets, expected_losses.data(), expected.data());
      for (std::size_t r = 0; r < kRows; ++r) ASSERT_NEAR(losses[r], expected_losses[r], 2e-6) << classes;
      for (std::size_t i = 0; i < logits.size(); ++i) ASSERT_NEAR(gradient[i], expected[i], 1e-7) << classes;
    }
  }
}

TEST(SoftmaxCrossEntropy, TheSameLabelTwiceIsOne) {
  const SoftmaxCrossEntropy shape{kRows, 17, 0.1f};
  const auto labels = make_labels(17);
  const std::vector<float> shares(kRows, 0.3f);
  const auto logits = test::uniform(kRows * 17, 1, -3, 3);
  std::vector<double> losses(kRows), expected_losses(kRows);
  std::vector<float> gradient(logits.size()), expected(logits.size());
  softmax_cross_entropy_f32(shape, 0, kRows, logits.data(), {labels.data(), labels.data(), shares.data()}, losses.data(),
                            gradient.data());
  softmax_cross_entropy_f32(shape, 0, kRows, logits.data(), {labels.data()}, expected_losses.data(), expected.data());
  EXPECT_EQ(losses, expected_losses);
  EXPECT_EQ(gradient, expected);
}

TEST(SoftmaxCrossEntropy, EachRowsGradientSumsToZero) {
  const SoftmaxCrossEntropy shape{kRows, 37, 0.1f};
  const auto labels = make_labels(37);
  const auto logits = test::uniform(kRows * 37, 1, -3, 3);
  std::vector<double> losses(kRows);
  std::vector<float> gradient = logits;  // in place
  softmax_cross_entropy_f32(shape, 0, kRows, gradient.data(), {labels.data()}, losses.data(), gradient.data());
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
  softmax_cross_entropy_f32({1, 5, 0}, 0, 1, logits, {&label}, &loss, gradient);
  EXPECT_NEAR(loss, std::log(2.0), 1e-6);
  EXPECT_NEAR(gradient[0], 0.5, 1e-6);
  EXPECT_NEAR(gradient[4], -0.5, 1e-6);
}

}  // namespace
}  // namespace bramble::kernels
