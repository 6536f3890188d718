#include "kernels/squeeze_excite/squeeze_excite.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

using test::uniform;

// An image, its gradient and its gate, one float into their buffers, so that nothing is aligned.
struct Image {
  Image(std::size_t pixel_count, std::size_t channel_count)
      : pixels(pixel_count),
        channels(channel_count),
        x(uniform(pixels * channels + 1, 1, -3, 3)),
        dy(uniform(pixels * channels + 1, 2)),
        gate(uniform(channels + 1, 3, 0, 1)),
        mean(uniform(channels + 1, 4)),
        scale(uniform(channels + 1, 5, 0.5f, 2)),
        beta(uniform(channels + 1, 6)) {}

  Normalisation normalisation(Activation kind) const {
    return {kind, {mean.data() + 1, scale.data() + 1, beta.data() + 1}};
  }

  std::size_t pixels, channels;
  std::vector<float> x, dy, gate, mean, scale, beta;
};

void for_each_case(const std::function<void(const Image&, const SqueezeExciteSource&)>& check) {
  for (const std::size_t pixels : {1, 3, 4, 7, 63, 64, 65, 130}) {
    for (const std::size_t channels : {1, 3, 4, 7, 8, 13, 24}) {
      const Image image(pixels, channels);
      check(image, {channels, image.x.data() + 1});
      for (const Activation kind : {Activation::none, Activation::relu, Activation::hard_swish, Activation::silu}) {
        const Normalisation normal = image.normalisation(kind);
        check(image, {channels, image.x.data() + 1, &normal});
      }
    }
  }
}

template <class T>
void expect_near(const std::vector<T>& actual, const std::vector<T>& expected, double tolerance, const Image& image) {
  for (std::size_t i = 0; i < expected.size(); ++i)
    ASSERT_NEAR(actual[i], expected[i], tolerance) << image.pixels << " x " << image.channels << ", " << i;
}

TEST(SqueezeExcite, SumsMatchTheReferenceAlsoInSlicesOfChannels) {
  for_each_case([](const Image& image, const SqueezeExciteSource& source) {
    std::vector<double> pool(image.channels, 77), gate = pool, expected_pool = pool, expected_gate = pool;
    const std::size_t split = image.channels / 3;
    for (const auto& [begin, end] : {std::pair{std::size_t{0}, split}, std::pair{split, image.channels}}) {
      squeeze_excite_fwd_pool_f32(source, image.pixels, begin, end, pool.data());
      squeeze_excite_bwd_gate_f32(source, image.pixels, begin, end, image.dy.data() + 1, gate.data());
    }
    squeeze_excite_fwd_pool_f32_ref(source, image.pixels, expected_pool.data());
    squeeze_excite_bwd_gate_f32_ref(source, image.pixels, image.dy.data() + 1, expected_gate.data());
    const double tolerance = 1e-5 + 1e-6 * static_cast<double>(image.pixels);
    expect_near(pool, expected_pool, tolerance, image);
    expect_near(gate, expected_gate, tolerance, image);
  });
}

TEST(SqueezeExcite, ScalingMatchesTheReferenceAlsoInSlicesOfPixels) {
  for_each_case([](const Image& image, const SqueezeExciteSource& source) {
    std::vector<float> y(image.pixels * image.channels, 77), expected = y;
    const std::size_t split = image.pixels / 3;
    squeeze_excite_fwd_scale_f32(source, 0, split, image.gate.data() + 1, y.data());
    squeeze_excite_fwd_scale_f32(source, split, image.pixels, image.gate.data() + 1, y.data());
    squeeze_excite_fwd_scale_f32_ref(source, image.pixels, image.gate.data() + 1, expected.data());
    expect_near(y, expected, 5e-6, image);
  });
}

TEST(SqueezeExcite, DataGradientMatchesTheReferenceAndMayOverwriteDy) {
  for_each_case([](const Image& image, const SqueezeExciteSource&) {
    std::vector<float> dx(image.dy.begin() + 1, image.dy.end()), expected(dx.size());
    squeeze_excite_bwd_data_f32_ref(image.channels, image.pixels, dx.data(), image.gate.data() + 1,
                                    image.beta.data() + 1, 0.25f, expected.data());
    const std::size_t split = image.pixels / 2;
    squeeze_excite_bwd_data_f32(image.channels, 0, split, dx.data(), image.gate.data() + 1, image.beta.data() + 1,
                                0.25f, dx.data());
    squeeze_excite_bwd_data_f32(image.channels, split, image.pixels, dx.data(), image.gate.data() + 1,
                                image.beta.data() + 1, 0.25f, dx.data());
    expect_near(dx, expected, 1e-6, image);
  });
}

}  // namespace
}  // namespace bramble::kernels
