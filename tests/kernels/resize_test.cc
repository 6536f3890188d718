#include "kernels/resize/resize.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

constexpr ResizeMode kModes[] = {ResizeMode::nearest, ResizeMode::bilinear, ResizeMode::bilinear_corners,
                                 ResizeMode::adaptive_average};

/// Up, down, one axis each way, and to one pixel and from one.
std::vector<ResizeShape> shapes() {
  std::vector<ResizeShape> all;
  for (const std::size_t channels : {1, 3, 4, 7, 18}) {
    all.push_back({2, 7, 7, channels, 8, 8});
    all.push_back({2, 3, 4, channels, 7, 8});
    all.push_back({1, 5, 6, channels, 7, 7});
    all.push_back({1, 8, 6, channels, 3, 11});
    all.push_back({1, 5, 5, channels, 1, 1});
    all.push_back({1, 1, 1, channels, 3, 2});
  }
  return all;
}

std::size_t x_size(const ResizeShape& s) { return s.batch * s.height * s.width * s.channels; }
std::size_t y_size(const ResizeShape& s) { return s.batch * s.out_height * s.out_width * s.channels; }

TEST(Resize, MatchesReferenceRowByRowMisaligned) {
  for (const ResizeMode mode : kModes) {
    for (const ResizeShape& s : shapes()) {
      if (mode == ResizeMode::adaptive_average && s.out_height < s.height) continue;
      const auto x = test::uniform(x_size(s) + 1, 1), dy = test::uniform(y_size(s) + 1, 2);
      std::vector<float> y(y_size(s) + 1), expected_y(y_size(s)), dx(x_size(s) + 1), expected_dx(x_size(s));
      for (std::size_t row = s.batch * s.out_height; row-- > 0;)
        resize_fwd_f32(mode, s, row, row + 1, x.data() + 1, y.data() + 1);
      for (std::size_t row = s.batch * s.height; row-- > 0;)
        resize_bwd_f32(mode, s, row, row + 1, dy.data() + 1, dx.data() + 1);
      resize_fwd_f32_ref(mode, s, x.data() + 1, expected_y.data());
      resize_bwd_f32_ref(mode, s, dy.data() + 1, expected_dx.data());
      for (std::size_t i = 0; i < expected_y.size(); ++i) ASSERT_NEAR(y[i + 1], expected_y[i], 2e-6);
      for (std::size_t i = 0; i < expected_dx.size(); ++i) ASSERT_NEAR(dx[i + 1], expected_dx[i], 1e-5);
    }
  }
}

/// torch.nn.functional.interpolate(torch.tensor([[[1., 2, 4]]]), size=5, mode="linear"), likewise "nearest", and
/// "linear" with align_corners=True; adaptive_avg_pool1d of the same.
TEST(Resize, IsPyTorchs) {
  const ResizeShape s{1, 1, 3, 1, 1, 5};
  const float x[] = {1, 2, 4};
  std::vector<float> y(5);
  resize_fwd_f32(ResizeMode::bilinear, s, 0, 1, x, y.data());
  const float linear[] = {1.0f, 1.4f, 2.0f, 3.2f, 4.0f};
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(y[i], linear[i], 1e-6);
  resize_fwd_f32(ResizeMode::bilinear_corners, s, 0, 1, x, y.data());
  const float corners[] = {1.0f, 1.5f, 2.0f, 3.0f, 4.0f};
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(y[i], corners[i], 1e-6);
  resize_fwd_f32(ResizeMode::nearest, s, 0, 1, x, y.data());
  EXPECT_EQ(y, (std::vector<float>{1, 1, 2, 2, 4}));
  resize_fwd_f32(ResizeMode::adaptive_average, s, 0, 1, x, y.data());
  EXPECT_EQ(y, (std::vector<float>{1, 1.5, 2, 3, 4}));
}

}  // namespace
}  // namespace bramble::kernels
