#include "kernels/layernorm/layernorm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

using test::uniform;

void expect_near(const std::vector<float>& actual, const std::vector<float>& expected, double tolerance,
                 const char* what) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], tolerance * std::max(1.0f, std::abs(expected[i]))) << what << " " << i;
  }
}

// Tensors of one layer; matrices start one float into their buffers, so that nothing is aligned.
struct Layer {
  Layer(std::size_t row_count, std::size_t channel_count, bool add)
      : rows(row_count),
        channels(channel_count),
        with_residual(add),
        x(uniform(rows * channels + 1, 1, -2, 4)),
        residual(uniform(rows * channels + 1, 2, -2, 2)),
        gamma(uniform(channels + 1, 3, 0.5f, 2)),
        beta(uniform(channels + 1, 4)),
        dy(uniform(rows * channels + 1, 5)),
        ds(uniform(rows * channels + 1, 6)),
        s(rows * channels, 77),
        y(rows * channels, 77),
        dx(rows * channels, 77),
        mean(rows, 77),
        rstd(rows, 77),
        dgamma(channels, 77),
        dbeta(channels, 77) {}

  LayernormForward forward_operands() {
    return {channels,       1e-6f,           x.data() + 1, with_residual ? residual.data() + 1 : nullptr,
            gamma.data() + 1, beta.data() + 1, with_residual ? s.data() : nullptr, y.data(), mean.data(), rstd.data()};
  }

  LayernormBackward backward_operands(bool with_ds) {
    return {channels,    dy.data() + 1, with_residual ? s.data() : x.data() + 1,   gamma.data() + 1,
            mean.data(), rstd.data(),   with_ds ? ds.data() + 1 : nullptr, dx.data()};
  }

  std::size_t rows, channels;
  bool with_residual;
  std::vector<float> x, residual, gamma, beta, dy, ds, s, y, dx, mean, rstd, dgamma, dbeta;
};

constexpr std::size_t kChannels[] = {1, 3, 4, 7, 15, 16, 17, 192};

TEST(Layernorm, ForwardMatchesReference) {
  for (const std::size_t channels : kChannels) {
    for (const std::size_t rows : {1, 2, 5}) {
      for (const bool residual : {false, true}) {
        Layer layer(rows, channels, residual);
        Layer expected = layer;
        layernorm_fwd_f32(layer.forward_operands(), 0, rows);
        layernorm_fwd_f32_ref(expected.forward_operands(), 0, rows);
        const double tolerance = channels < 4 ? 1e-3 : 1e-5;  // few values that almost agree make a huge rstd
        expect_near(layer.mean, expected.mean, 1e-6, "mean");
        expect_near(layer.rstd, expected.rstd, tolerance, "rstd");
        expect_near(layer.s, expected.s, 1e-6, "s");
        expect_near(layer.y, expected.y, tolerance, "y");
      }
    }
  }
}

TEST(Layernorm, BackwardMatchesReference) {
  for (const std::size_t channels : kChannels) {
    for (const std::size_t rows : {1, 2, 5, 50}) {
      for (const bool residual : {false, true}) {
        for (const bool with_ds : {false, true}) {
          Layer layer(rows, channels, residual);
          layernorm_fwd_f32(layer.forward_operands(), 0, rows);
          Layer expected = layer;
          layernorm_bwd_f32(layer.backward_operands(with_ds), 0, rows, layer.dgamma.data(), layer.dbeta.data());
          layernorm_bwd_f32_ref(expected.backward_operands(with_ds), 0, rows, expected.dgamma.data(),
                                expected.dbeta.data());
          const double tolerance = channels < 4 ? 1e-3 : 2e-5;
          expect_near(layer.dx, expected.dx, tolerance, "dx");
          expect_near(layer.dgamma, expected.dgamma, tolerance, "dgamma");
          expect_near(layer.dbeta, expected.dbeta, 1e-5, "dbeta");
        }
      }
    }
  }
}

TEST(Layernorm, EachRowHasMeanZeroAndVarianceOneBeforeGammaAndBeta) {
  Layer layer(4, 100, true);
  std::fill(layer.gamma.begin(), layer.gamma.end(), 1.0f);
  std::fill(layer.beta.begin(), layer.beta.end(), 0.0f);
  layernorm_fwd_f32(layer.forward_operands(), 0, 4);
  for (std::size_t r = 0; r < 4; ++r) {
    double sum = 0, squares = 0;
    for (std::size_t c = 0; c < 100; ++c) {
      sum += layer.y[r * 100 + c];
      squares += std::pow(layer.y[r * 100 + c], 2);
    }
    EXPECT_NEAR(sum / 100, 0, 1e-6);
    EXPECT_NEAR(squares / 100, 1, 1e-5);
  }
}

TEST(Layernorm, TheSumNeedNotBeKeptAndOutputsMayOverwriteInputs) {
  Layer layer(3, 21, true);
  layernorm_fwd_f32(layer.forward_operands(), 0, 3);
  Layer other(3, 21, true);
  LayernormForward operands = other.forward_operands();
  operands.s = nullptr;
  operands.y = other.x.data() + 1;
  layernorm_fwd_f32(operands, 0, 3);
  EXPECT_TRUE(std::equal(layer.y.begin(), layer.y.end(), other.x.begin() + 1));

  layernorm_bwd_f32(layer.backward_operands(true), 0, 3, nullptr, nullptr);
  LayernormBackward backward = layer.backward_operands(true);
  std::vector<float> dy = layer.dy;
  backward.dy = dy.data() + 1;
  backward.dx = dy.data() + 1;
  layernorm_bwd_f32(backward, 0, 3, nullptr, nullptr);
  EXPECT_TRUE(std::equal(layer.dx.begin(), layer.dx.end(), dy.begin() + 1));
}

TEST(Layernorm, RowsOfTheResultMayLieApart) {
  for (const bool residual : {false, true}) {
    Layer layer(5, 21, residual), apart(5, 21, residual);
    layernorm_fwd_f32(layer.forward_operands(), 0, 5);
    apart.y.assign(5 * 30, 77);
    LayernormForward operands = apart.forward_operands();
    operands.y_stride = 30;
    layernorm_fwd_f32(operands, 0, 5);
    for (std::size_t i = 0; i < apart.y.size(); ++i)
      EXPECT_EQ(apart.y[i], i % 30 < 21 ? layer.y[i / 30 * 21 + i % 30] : 77) << i;
  }
}

TEST(Layernorm, ASliceTouchesItsRowsOnly) {
  Layer layer(6, 9, false);
  layernorm_fwd_f32(layer.forward_operands(), 2, 4);
  EXPECT_EQ(layer.y[2 * 9 - 1], 77);
  EXPECT_NE(layer.y[2 * 9], 77);
  EXPECT_EQ(layer.y[4 * 9], 77);
  EXPECT_EQ(layer.mean[4], 77);
}

}  // namespace
}  // namespace bramble::kernels
