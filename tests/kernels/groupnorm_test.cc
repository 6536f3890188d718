#include "kernels/groupnorm/groupnorm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/batchnorm/batchnorm.h"
#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

using test::uniform;

constexpr float kEps = 1e-5F;

/// One pixel, tails of rows and of channels, one group, several, one a channel.
std::vector<GroupnormShape> shapes() {
  std::vector<GroupnormShape> all;
  for (const std::size_t pixels : {1, 3, 4, 7, 64, 81})
    for (const std::size_t channels : {4, 6, 18, 64})
      for (const std::size_t groups : {std::size_t{1}, std::size_t{2}, channels})
        if (pixels * channels / groups > 1) all.push_back({pixels, channels, groups});
  return all;
}

struct Image {
  GroupnormShape shape;
  // Far from zero: the variance is a difference of large sums.
  std::vector<float> x, dy, gamma, beta, addend;
  std::vector<float> mean, rstd, means, scale;

  explicit Image(const GroupnormShape& s)
      : shape(s),
        x(uniform(s.pixels * s.channels, 1, 4, 6)),
        dy(uniform(s.pixels * s.channels, 2)),
        gamma(uniform(s.channels, 3, 0.5F, 1.5F)),
        beta(uniform(s.channels, 4)),
        addend(uniform(s.pixels * s.channels, 5)),
        mean(s.groups, NAN),
        rstd(s.groups, NAN),
        means(s.channels, NAN),
        scale(s.channels, NAN) {}

  /// Sums in two parts, as two tasks would leave them.
  std::vector<double> parts(auto&& sum) const {
    std::vector<double> partials(4 * shape.channels, 0.0);
    const std::size_t cut = shape.pixels / 2;
    sum(0, cut, partials.data());
    sum(cut, shape.pixels, partials.data() + 2 * shape.channels);
    return partials;
  }
  void forward(std::vector<float>& y) {
    const auto partials = parts([&](std::size_t begin, std::size_t end, double* sums) {
      batchnorm_stats_f32(end - begin, shape.channels, x.data() + begin * shape.channels, shape.channels, sums,
                          sums + shape.channels);
    });
    groupnorm_finalise_f32(shape, 2, kEps, partials.data(), gamma.data(), mean.data(), rstd.data(), means.data(),
                           scale.data());
    batchnorm_fwd_f32(Activation::none, 0, shape.pixels, shape.channels, x.data(),
                      {means.data(), scale.data(), beta.data()}, nullptr, y.data());
  }
};

void expect_near(const std::vector<float>& actual, const std::vector<float>& expected, float allowed) {
  for (std::size_t i = 0; i < actual.size(); ++i) ASSERT_NEAR(actual[i], expected[i], allowed) << i;
}

testing::Message describe(const GroupnormShape& s) {
  return testing::Message() << s.pixels << " pixels, " << s.channels << " channels, " << s.groups << " groups";
}

TEST(Groupnorm, ForwardMatchesReference) {
  for (const GroupnormShape& shape : shapes()) {
    SCOPED_TRACE(describe(shape));
    Image image(shape);
    std::vector<float> y(image.x.size(), NAN), expected(y), mean(shape.groups), rstd(shape.groups);
    image.forward(y);
    groupnorm_fwd_f32_ref(shape, kEps, image.x.data(), image.gamma.data(), image.beta.data(), expected.data(),
                          mean.data(), rstd.data());
    expect_near(image.mean, mean, 1e-6F);
    for (std::size_t g = 0; g < shape.groups; ++g) ASSERT_NEAR(image.rstd[g] / rstd[g], 1, 2e-5F) << g;
    // The mean is rounded once, and a group of few values may deviate from it by little.
    expect_near(y, expected, 1e-6F * (1 + *std::max_element(rstd.begin(), rstd.end())));
  }
}

TEST(Groupnorm, BackwardMatchesReference) {
  for (const GroupnormShape& shape : shapes()) {
    for (const bool has_addend : {false, true}) {
      SCOPED_TRACE(describe(shape));
      Image image(shape);
      std::vector<float> y(image.x.size()), dgamma(shape.channels, NAN), dbeta(dgamma), dx(y), expected_dx(y);
      std::vector<float> expected_dgamma(dgamma), expected_dbeta(dgamma), vectors(3 * shape.channels), means(dgamma);
      image.forward(y);
      groupnorm_spread_f32(shape, image.mean.data(), means.data());
      const BatchnormBackward operands{Activation::none, shape.channels, image.dy.data(), image.x.data(),
                                       nullptr,          {means.data(), means.data(), means.data()}};
      const auto partials = image.parts([&](std::size_t begin, std::size_t end, double* sums) {
        batchnorm_bwd_reduce_f32(operands, begin, end, 0, shape.channels, sums, sums + shape.channels);
      });
      float* const v = vectors.data();
      const GroupnormCoefficients coefficients{v, v + shape.channels, v + 2 * shape.channels};
      groupnorm_bwd_coefficients_f32(shape, 2, partials.data(), image.gamma.data(), image.rstd.data(), dgamma.data(),
                                     dbeta.data(), coefficients);
      groupnorm_bwd_data_f32(shape, 0, shape.pixels, image.dy.data(), image.x.data(), means.data(), coefficients,
                             has_addend ? image.addend.data() : nullptr, dx.data());
      groupnorm_bwd_f32_ref(shape, image.dy.data(), image.x.data(), image.gamma.data(), image.mean.data(),
                            image.rstd.data(), expected_dx.data(), expected_dgamma.data(), expected_dbeta.data());
      if (has_addend)
        for (std::size_t i = 0; i < dx.size(); ++i) expected_dx[i] += image.addend[i];
      const float rstd = *std::max_element(image.rstd.begin(), image.rstd.end());
      expect_near(dx, expected_dx, 3e-6F * (1 + rstd));
      expect_near(dgamma, expected_dgamma, 1e-5F * (1 + rstd));
      expect_near(dbeta, expected_dbeta, 1e-5F);
    }
  }
}

}  // namespace
}  // namespace bramble::kernels
