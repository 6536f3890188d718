#include "kernels/pool/pool.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

using test::uniform;

std::vector<PoolShape> shapes() {
  std::vector<PoolShape> all;
  for (const std::size_t channels : {1, 3, 4, 7, 16, 17, 40}) {
    for (const auto& [height, width] : {std::pair<std::size_t, std::size_t>{7, 5}, {8, 8}, {3, 4}}) {
      for (const auto& [kernel, stride, padding] : {std::tuple<std::size_t, std::size_t, std::size_t>{3, 2, 1},
                                                   {2, 2, 0}, {3, 1, 1}, {2, 3, 1}, {1, 2, 0}, {3, 3, 0}}) {
        const std::size_t out_height = (height + 2 * padding - kernel) / stride + 1;
        const std::size_t out_width = (width + 2 * padding - kernel) / stride + 1;
        all.push_back({2, height, width, channels, out_height, out_width, kernel, stride, padding});
      }
    }
  }
  return all;
}

std::size_t inputs(const PoolShape& s) { return s.batch * s.height * s.width * s.channels; }
std::size_t outputs(const PoolShape& s) { return s.batch * s.out_height * s.out_width * s.channels; }

// Few distinct values, so that windows tie, all negative, so that padding would win if it took part.
std::vector<float> with_ties(std::size_t size) {
  std::vector<float> x = uniform(size, 1, -6, -1);
  for (float& value : x) value = static_cast<float>(static_cast<int>(value));
  return x;
}

void expect_near(const std::vector<float>& actual, const std::vector<float>& expected, double tolerance) {
  for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(actual[i], expected[i], tolerance) << i;
}

TEST(MaxPool2d, ForwardTakesTheFirstMaximumAndNeverThePadding) {
  for (const PoolShape& shape : shapes()) {
    const auto x = with_ties(inputs(shape));
    std::vector<float> y(outputs(shape), 77), expected(outputs(shape), 77);
    std::vector<std::uint8_t> argmax(outputs(shape), 77), expected_argmax(outputs(shape), 77);
    max_pool2d_fwd_f32(shape, 0, 1, x.data(), y.data(), argmax.data());
    max_pool2d_fwd_f32(shape, 1, shape.batch * shape.out_height, x.data(), y.data(), argmax.data());
    max_pool2d_fwd_f32_ref(shape, x.data(), expected.data(), expected_argmax.data());
    ASSERT_EQ(y, expected);
    ASSERT_EQ(argmax, expected_argmax);
    std::vector<float> only(outputs(shape));
    max_pool2d_fwd_f32(shape, 0, shape.batch * shape.out_height, x.data(), only.data(), nullptr);
    ASSERT_EQ(only, expected);
  }
}

TEST(MaxPool2d, BackwardMatchesReference) {
  for (const PoolShape& shape : shapes()) {
    const auto x = with_ties(inputs(shape));
    std::vector<float> y(outputs(shape)), dx(inputs(shape), 77), expected(inputs(shape));
    std::vector<std::uint8_t> argmax(outputs(shape));
    max_pool2d_fwd_f32_ref(shape, x.data(), y.data(), argmax.data());
    const auto dy = uniform(outputs(shape), 2);
    max_pool2d_bwd_f32(shape, 0, 2, dy.data(), argmax.data(), dx.data());
    max_pool2d_bwd_f32(shape, 2, shape.batch * shape.height, dy.data(), argmax.data(), dx.data());
    max_pool2d_bwd_f32_ref(shape, dy.data(), argmax.data(), expected.data());
    expect_near(dx, expected, 1e-6);
  }
}

// Slices of an image, of which the rows alone are given that they see, or make.
TEST(MaxPool2d, TakesAndGivesSomeRowsOfAnImage) {
  for (const PoolShape& shape : shapes()) {
    const auto x = with_ties(inputs(shape));
    const auto dy = uniform(outputs(shape), 2);
    std::vector<float> y(outputs(shape), 77), expected(outputs(shape)), dx(inputs(shape)), row(inputs(shape));
    std::vector<std::uint8_t> argmax(outputs(shape), 77), expected_argmax(outputs(shape));
    max_pool2d_fwd_f32_ref(shape, x.data(), expected.data(), expected_argmax.data());
    max_pool2d_bwd_f32_ref(shape, dy.data(), expected_argmax.data(), dx.data());
    const std::size_t row_elements = shape.width * shape.channels;
    for (std::size_t begin = 0; begin < shape.batch * shape.out_height; ++begin) {
      const std::size_t image_end = (begin / shape.out_height + 1) * shape.out_height;
      const std::size_t end = std::min(begin + 1 + begin % 2, image_end);
      const PoolRows rows = pooled_rows(shape, begin, end);
      const std::vector<float> seen(x.begin() + static_cast<std::ptrdiff_t>(rows.begin * row_elements),
                                    x.begin() + static_cast<std::ptrdiff_t>(rows.end * row_elements));
      max_pool2d_fwd_f32(shape, begin, end, seen.data(), y.data(), argmax.data(), rows.begin);
    }
    ASSERT_EQ(y, expected);
    ASSERT_EQ(argmax, expected_argmax);
    for (std::size_t r = 0; r < shape.batch * shape.height; ++r) {
      std::vector<float> made(row_elements, 77);
      max_pool2d_bwd_f32(shape, r, r + 1, dy.data(), argmax.data(), made.data(), r);
      std::copy(made.begin(), made.end(), row.begin() + static_cast<std::ptrdiff_t>(r * row_elements));
    }
    expect_near(row, dx, 1e-6);
  }
}

TEST(AvgPool2d, MatchesReferenceWhetherOrNotThePaddingCounts) {
  for (const PoolShape& shape : shapes()) {
    for (const bool include : {true, false}) {
      const auto x = uniform(inputs(shape), 1);
      const auto dy = uniform(outputs(shape), 2);
      std::vector<float> y(outputs(shape), 77), expected_y(outputs(shape));
      std::vector<float> dx(inputs(shape), 77), expected_dx(inputs(shape));
      avg_pool2d_fwd_f32(shape, include, 0, shape.batch * shape.out_height, x.data(), y.data());
      avg_pool2d_fwd_f32_ref(shape, include, x.data(), expected_y.data());
      expect_near(y, expected_y, 1e-6);
      avg_pool2d_bwd_f32(shape, include, 0, shape.batch * shape.height, dy.data(), dx.data());
      avg_pool2d_bwd_f32_ref(shape, include, dy.data(), expected_dx.data());
      expect_near(dx, expected_dx, 1e-6);
    }
  }
}

TEST(GlobalAvgPool, MatchesReference) {
  for (const std::size_t channels : {1, 3, 7, 16, 17, 64}) {
    for (const std::size_t pixels : {1, 4, 49, 200}) {
      const auto x = uniform(3 * pixels * channels, 1);
      const auto dy = uniform(3 * channels, 2);
      std::vector<float> y(3 * channels, 77), expected_y = y, dx(x.size(), 77), expected_dx = dx;
      global_avg_pool_fwd_f32(0, 3, pixels, channels, x.data(), y.data());
      global_avg_pool_fwd_f32_ref(0, 3, pixels, channels, x.data(), expected_y.data());
      expect_near(y, expected_y, 1e-6);
      global_avg_pool_bwd_f32(0, 3, pixels, channels, dy.data(), dx.data());
      global_avg_pool_bwd_f32_ref(0, 3, pixels, channels, dy.data(), expected_dx.data());
      expect_near(dx, expected_dx, 1e-6);
    }
  }
}

}  // namespace
}  // namespace bramble::kernels
