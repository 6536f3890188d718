#include "kernels/batchnorm_sum/batchnorm_sum.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

using test::uniform;

constexpr std::size_t kRows = 70;  // more than two blocks of the reduction, and a tail

struct Case {
  Case(Activation activation, std::size_t terms, std::size_t channels) : dy(uniform(kRows * channels + 1, 40)) {
    for (std::size_t t = 0; t < terms; ++t) {
      x.push_back(uniform(kRows * channels + 1, t + 1, -2, 2));
      vectors.push_back(uniform(2 * channels + 1, t + 10));
    }
    beta = uniform(channels + 1, 30);
    sum = {activation, channels, terms, {}, beta.data() + 1};
    for (std::size_t t = 0; t < terms; ++t)
      sum.terms[t] = {x[t].data() + 1, vectors[t].data() + 1, vectors[t].data() + 1 + channels};
  }

  std::vector<std::vector<float>> x, vectors;
  std::vector<float> beta, dy;
  BatchnormSum sum;
};

template <class Check>
void for_each_case(Check check) {
  for (const Activation activation : {Activation::none, Activation::gelu, Activation::silu, Activation::sigmoid})
    for (const std::size_t terms : {1, 2, 3, 4})
      for (const std::size_t channels : {1, 3, 4, 7, 24}) check(Case(activation, terms, channels));
}

TEST(BatchNormSum, ForwardMatchesReferenceMisalignedAndInPlace) {
  for_each_case([](Case c) {
    const std::size_t count = kRows * c.sum.channels;
    const auto residual = uniform(count + 1, 50);
    for (const float* r : {residual.data() + 1, static_cast<const float*>(nullptr)}) {
      std::vector<float> y(count), expected(count);
      batchnorm_sum_fwd_f32(c.sum, 0, kRows, r, y.data());
      batchnorm_sum_fwd_f32_ref(c.sum, 0, kRows, r, expected.data());
      for (std::size_t i = 0; i < count; ++i) ASSERT_NEAR(y[i], expected[i], 5e-6);
      std::vector<float> in_place(c.x[0].begin() + 1, c.x[0].end());
      c.sum.terms[0].x = in_place.data();
      for (std::size_t row = kRows; row-- > 0;)
        batchnorm_sum_fwd_f32(c.sum, row, row + 1, r, in_place.data());
      c.sum.terms[0].x = c.x[0].data() + 1;
      ASSERT_EQ(in_place, y);
    }
  });
}

TEST(BatchNormSum, BackwardMatchesReferenceMisalignedAndInPlace) {
  for_each_case([](Case c) {
    const std::size_t channels = c.sum.channels, count = kRows * channels;
    const auto coefficients = uniform(3 * 4 * channels, 60);
    std::vector<std::vector<float>> dx(4, std::vector<float>(count)), expected(4, std::vector<float>(count));
    BatchnormSumGradient to[kBatchnormSumTerms], to_expected[kBatchnormSumTerms];
    for (std::size_t t = 0; t < 4; ++t) {
      const float* const v = coefficients.data() + 3 * t * channels;
      to[t] = {v, v + channels, v + 2 * channels, t == 1 ? nullptr : dx[t].data()};
      to_expected[t] = {v, v + channels, v + 2 * channels, t == 1 ? nullptr : expected[t].data()};
    }
    batchnorm_sum_bwd_data_f32_ref(c.sum, 0, kRows, c.dy.data() + 1, to_expected);
    dx[0].assign(c.x[0].begin() + 1, c.x[0].end());
    c.sum.terms[0].x = dx[0].data();
    batchnorm_sum_bwd_data_f32(c.sum, 0, kRows, c.dy.data() + 1, to);
    for (std::size_t t = 0; t < c.sum.count; ++t)
      for (std::size_t i = 0; i < count; ++i) ASSERT_NEAR(dx[t][i], expected[t][i], 1e-5);
  });
}

/// dx = g with scale 1 and nothing else: the sums are sums of what the reference gives.
TEST(BatchNormSum, ReductionMatchesReferenceInParts) {
  for_each_case([](const Case& c) {
    const std::size_t channels = c.sum.channels;
    std::vector<double> sums((1 + c.sum.count) * channels), expected(sums.size());
    std::vector<float> g(kRows * channels), one(channels, 1.0f), zero(channels, 0.0f);
    BatchnormSumGradient to[kBatchnormSumTerms]{};
    to[0] = {one.data(), zero.data(), zero.data(), g.data()};
    batchnorm_sum_bwd_data_f32_ref(c.sum, 0, kRows, c.dy.data() + 1, to);
    for (std::size_t i = 0; i < g.size(); ++i) {
      expected[i % channels] += g[i];
      for (std::size_t t = 0; t < c.sum.count; ++t)
        expected[(1 + t) * channels + i % channels] +=
            static_cast<double>(g[i]) * (c.sum.terms[t].x[i] - c.sum.terms[t].mean[i % channels]);
    }
    batchnorm_sum_bwd_reduce_f32(c.sum, 0, 33, c.dy.data() + 1, sums.data());
    batchnorm_sum_bwd_reduce_f32(c.sum, 33, kRows, c.dy.data() + 1, sums.data());
    for (std::size_t i = 0; i < sums.size(); ++i) ASSERT_NEAR(sums[i], expected[i], 1e-4);
  });
}

}  // namespace
}  // namespace bramble::kernels
