#include "kernels/pool_mixer/pool_mixer.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

/// Images smaller than the window, with and without inner pixels, every tail of channels.
std::vector<PoolMixerShape> shapes() {
  std::vector<PoolMixerShape> all;
  for (const std::size_t channels : {1, 3, 4, 6, 16}) {
    all.push_back({2, 7, 6, channels, 1});
    all.push_back({1, 2, 9, channels, 1});
    all.push_back({3, 1, 1, channels, 1});
    all.push_back({1, 9, 8, channels, 2});
    all.push_back({1, 9, 8, channels, 1, false});
  }
  return all;
}

std::size_t elements(const PoolMixerShape& s) { return s.batch * s.height * s.width * s.channels; }

TEST(PoolMixer, ForwardMatchesReferenceRowByRowMisaligned) {
  for (const PoolMixerShape& s : shapes()) {
    const auto x = test::uniform(elements(s) + 1, 1), gamma = test::uniform(s.channels + 1, 2);
    for (const float* g : {gamma.data() + 1, static_cast<const float*>(nullptr)}) {
      std::vector<float> y(elements(s) + 1), expected(elements(s));
      for (std::size_t row = s.batch * s.height; row-- > 0;)
        pool_mixer_fwd_f32(s, row, row + 1, x.data() + 1, g, y.data() + 1);
      pool_mixer_fwd_f32_ref(s, x.data() + 1, g, expected.data());
      for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(y[i + 1], expected[i], 2e-6);
    }
  }
}

TEST(PoolMixer, BackwardMatchesReferenceMisaligned) {
  for (const PoolMixerShape& s : shapes()) {
    const auto x = test::uniform(elements(s) + 1, 1), gamma = test::uniform(s.channels + 1, 2);
    const auto dy = test::uniform(elements(s) + 1, 3);
    std::vector<float> dx(elements(s) + 1), expected(elements(s)), dgamma(s.channels + 1), sums(s.channels), alone(dx);
    pool_mixer_bwd_f32(s, 0, s.batch * s.height, dy.data() + 1, x.data() + 1, gamma.data() + 1, dx.data() + 1,
                       dgamma.data() + 1);
    pool_mixer_bwd_f32_ref(s, dy.data() + 1, x.data() + 1, gamma.data() + 1, expected.data(), sums.data());
    for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(dx[i + 1], expected[i], 5e-6);
    for (std::size_t c = 0; c < s.channels; ++c) ASSERT_NEAR(dgamma[c + 1], sums[c], 2e-5);
    for (std::size_t row = s.batch * s.height; row-- > 0;)
      pool_mixer_bwd_f32(s, row, row + 1, dy.data() + 1, nullptr, gamma.data() + 1, alone.data() + 1, nullptr);
    ASSERT_EQ(alone, dx);
  }
}

}  // namespace
}  // namespace bramble::kernels
