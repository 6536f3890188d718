#include "kernels/batchnorm/batchnorm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

using test::uniform;

struct Case {
  std::size_t rows;
  std::size_t channels;
  Activation activation;
  bool residual;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const std::size_t rows : {2, 3, 4, 7, 127, 129, 300}) {
    for (const std::size_t channels : {1, 3, 4, 7, 16, 17, 24}) {
      for (const Activation activation :
           {Activation::none, Activation::relu, Activation::relu6, Activation::hard_sigmoid})
        for (const bool residual : {false, true}) all.push_back({rows, channels, activation, residual});
      // Their backward takes what went in, which it cannot find again behind a residual.
      for (const Activation activation : {Activation::gelu, Activation::hard_swish, Activation::silu})
        all.push_back({rows, channels, activation, false});
    }
  }
  return all;
}

// A layer's tensors, and the kernels called the way a binding does, in `slices` slices. Everything starts one float
// into its buffer, so that nothing is aligned.
struct Layer {
  explicit Layer(const Case& layer_shape, float centre = 0.3f) : shape(layer_shape) {
    const std::size_t size = shape.rows * shape.channels;
    x = uniform(size + 1, 1, centre - 5, centre + 5);
    residual = uniform(size + 1, 2, -3, 3);
    dy = uniform(size + 1, 3);
    gamma = uniform(shape.channels + 1, 4, 0.5f, 3);
    beta = uniform(shape.channels + 1, 5);
    running_mean = uniform(shape.channels, 6);
    running_var = uniform(shape.channels, 7, 0.5f, 1.5f);
    for (auto* vector : {&mean, &rstd, &scale, &slope, &constant, &dgamma, &dbeta}) {
      vector->assign(shape.channels, 77);
    }
    for (auto* matrix : {&y, &dx, &dresidual}) matrix->assign(size, 77);
  }

  const float* residual_or_null() const { return shape.residual ? residual.data() + 1 : nullptr; }

  std::size_t slice_end(std::size_t slice) const { return shape.rows * (slice + 1) / slices; }

  void forward() {
    const std::size_t channels = shape.channels;
    std::vector<double> partials(slices * 2 * channels);
    const std::size_t split = channels / 3;  // sums may be taken of some channels here, of the others there
    for (std::size_t s = 0, row = 0; s < slices; row = slice_end(s), ++s) {
      double* sums = &partials[s * 2 * channels];
      const float* first = x.data() + 1 + row * channels;
      batchnorm_stats_f32(slice_end(s) - row, split, first, channels, sums, sums + channels);
      batchnorm_stats_f32(slice_end(s) - row, channels - split, first + split, channels, sums + split,
                          sums + channels + split);
    }
    batchnorm_finalise_f32({shape.rows, channels, slices, eps, momentum}, 0, channels, partials.data(),
                           gamma.data() + 1, running_mean.data(), running_var.data(), mean.data(), rstd.data(),
                           scale.data());
    for (std::size_t s = 0, row = 0; s < slices; row = slice_end(s), ++s) {
      batchnorm_fwd_f32(shape.activation, row, slice_end(s), channels, x.data() + 1, affine(), residual_or_null(),
                        y.data());
    }
  }

  BatchnormBackward backward_operands() const {
    return {shape.activation, shape.channels, dy.data() + dy_first, x.data() + 1, shape.residual ? y.data() : nullptr,
            affine(),         dy_stride};
  }
  BatchnormAffine affine() const { return {mean.data(), scale.data(), beta.data() + 1}; }

  void backward(bool training) {
    const std::size_t channels = shape.channels;
    std::vector<double> partials(slices * 2 * channels);
    const std::size_t split = channels / 2;
    for (std::size_t s = 0, row = 0; s < slices; row = slice_end(s), ++s) {
      double* sums = &partials[s * 2 * channels];
      batchnorm_bwd_reduce_f32(backward_operands(), row, slice_end(s), 0, split, sums, sums + channels);
      batchnorm_bwd_reduce_f32(backward_operands(), row, slice_end(s), split, channels, sums, sums + channels);
    }
    batchnorm_bwd_coefficients_f32(0, channels, shape.rows, channels, slices, training, partials.data(), scale.data(),
                                   rstd.data(), dgamma.data(), dbeta.data(), slope.data(), constant.data());
    for (std::size_t s = 0, row = 0; s < slices; row = slice_end(s), ++s) {
      batchnorm_bwd_data_f32(backward_operands(), row, slice_end(s), slope.data(), constant.data(), dx.data(),
                             dresidual.data());
    }
  }

  Case shape;
  std::size_t dy_first = 1, dy_stride = shape.channels;
  std::size_t slices = 2;
  float eps = 1e-5f;
  float momentum = 0.1f;
  std::vector<float> x, residual, dy, gamma, beta, running_mean, running_var, mean, rstd, scale, slope, constant,
      dgamma, dbeta, y, dx, dresidual;
};

void expect_near(const std::vector<float>& actual, const std::vector<float>& expected, double tolerance,
                 const char* what, const Case& shape) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], tolerance * std::max(1.0f, std::abs(expected[i])))
        << what << "[" << i << "], " << shape.rows << " x " << shape.channels << ", activation "
        << static_cast<int>(shape.activation) << ", residual " << shape.residual;
  }
}

TEST(Batchnorm, ForwardMatchesReference) {
  for (const Case& shape : cases()) {
    Layer layer(shape);
    Layer expected = layer;
    layer.forward();
    batchnorm_fwd_f32_ref(shape.activation, shape.rows, shape.channels, layer.eps, layer.momentum, layer.x.data() + 1,
                          layer.gamma.data() + 1, layer.beta.data() + 1, layer.residual_or_null(),
                          expected.running_mean.data(), expected.running_var.data(), expected.y.data(),
                          expected.mean.data(), expected.rstd.data());
    // Two rows that almost agree make a huge rstd.
    const double tolerance = shape.rows < 4 ? 2e-3 : 1e-5;
    expect_near(layer.mean, expected.mean, 2e-6, "mean", shape);
    expect_near(layer.rstd, expected.rstd, tolerance, "rstd", shape);
    expect_near(layer.running_mean, expected.running_mean, 2e-6, "running_mean", shape);
    expect_near(layer.running_var, expected.running_var, 1e-5, "running_var", shape);
    expect_near(layer.y, expected.y, tolerance, "y", shape);
  }
}

TEST(Batchnorm, AResidualMayComeThroughABatchNormOfItsOwn) {
  for (const Case& shape : cases()) {
    if (!shape.residual) continue;
    Layer layer(shape);
    layer.forward();
    Layer plain = layer;
    const BatchnormAffine its{layer.gamma.data() + 1, layer.beta.data() + 1, layer.running_var.data()};
    batchnorm_fwd_f32(Activation::none, 0, shape.rows, shape.channels, layer.residual.data() + 1, its, nullptr,
                      plain.residual.data() + 1);
    batchnorm_fwd_f32(shape.activation, 1, shape.rows, shape.channels, layer.x.data() + 1, layer.affine(),
                      plain.residual_or_null(), plain.y.data());
    batchnorm_fwd_f32(shape.activation, 1, shape.rows, shape.channels, layer.x.data() + 1, layer.affine(),
                      layer.residual_or_null(), layer.y.data(), &its);
    ASSERT_EQ(layer.y, plain.y) << shape.rows << " x " << shape.channels;
  }
}

// The same sums, to the bit, and dy masked in its own place.
TEST(Batchnorm, MasksWhatItSums) {
  for (const Case& shape : cases()) {
    if (!shape.residual || shape.activation == Activation::none) continue;
    Layer layer(shape);
    layer.forward();
    const std::size_t channels = shape.channels, split = channels / 2;
    std::vector<double> sums(2 * channels), expected(2 * channels);
    batchnorm_bwd_reduce_f32(layer.backward_operands(), 1, shape.rows, 0, channels, expected.data(),
                             expected.data() + channels);
    batchnorm_bwd_data_f32(layer.backward_operands(), 1, shape.rows, layer.slope.data(), layer.constant.data(), nullptr,
                           layer.dresidual.data());
    const float untouched = layer.dy[1];
    for (const auto& [begin, end] : {std::pair{std::size_t{0}, split}, std::pair{split, channels}})
      batchnorm_bwd_mask_f32(layer.backward_operands(), 1, shape.rows, begin, end, layer.dy.data() + 1, sums.data(),
                             sums.data() + channels);
    ASSERT_EQ(layer.dy[1], untouched);
    for (std::size_t i = 0; i < sums.size(); ++i)
      ASSERT_NEAR(sums[i], expected[i], 1e-4 * std::abs(expected[i]) + 1e-5);
    for (std::size_t i = channels; i < shape.rows * channels; ++i) ASSERT_EQ(layer.dy[1 + i], layer.dresidual[i]) << i;
  }
}

TEST(Batchnorm, BackwardMatchesReference) {
  for (const Case& shape : cases()) {
    for (const bool training : {true, false}) {
      Layer layer(shape);
      layer.forward();
      Layer expected = layer;
      layer.backward(training);
      batchnorm_bwd_f32_ref(layer.backward_operands(), shape.rows, training, layer.gamma.data() + 1,
                            layer.beta.data() + 1, layer.rstd.data(), expected.dx.data(), expected.dgamma.data(),
                            expected.dbeta.data(), expected.dresidual.data());
      const double tolerance = shape.rows < 4 ? 2e-3 : 1e-5;
      expect_near(layer.dgamma, expected.dgamma, tolerance, "dgamma", shape);
      expect_near(layer.dbeta, expected.dbeta, 1e-5, "dbeta", shape);
      expect_near(layer.dx, expected.dx, tolerance, "dx", shape);
      expect_near(layer.dresidual, expected.dresidual, 1e-6, "dresidual", shape);
    }
  }
}

TEST(Batchnorm, MaskIsTheForwardsToTheBit) {
  // Tiny gammas put every pre-activation next to the edge.
  Layer layer({40, 8, Activation::relu, false});
  std::fill(layer.gamma.begin(), layer.gamma.end(), 1e-30f);
  std::fill(layer.beta.begin(), layer.beta.end(), 0.0f);
  layer.forward();
  layer.backward(true);
  for (std::size_t i = 0; i < layer.y.size(); ++i) {
    ASSERT_EQ(layer.dresidual[i], layer.y[i] > 0 ? layer.dy[i + 1] : 0) << i;
  }
}

TEST(Batchnorm, VarianceSurvivesAMeanFarFromZero) {
  Layer layer({5000, 4, Activation::none, false}, 1000);
  Layer expected = layer;
  layer.forward();
  batchnorm_fwd_f32_ref(Activation::none, 5000, 4, layer.eps, layer.momentum, layer.x.data() + 1,
                        layer.gamma.data() + 1, layer.beta.data() + 1, nullptr, expected.running_mean.data(),
                        expected.running_var.data(), expected.y.data(), expected.mean.data(), expected.rstd.data());
  expect_near(layer.rstd, expected.rstd, 1e-6, "rstd", layer.shape);
  expect_near(layer.mean, expected.mean, 1e-6, "mean", layer.shape);
}

TEST(Batchnorm, GradientsMayOverwriteTheirInputs) {
  Layer layer({37, 19, Activation::relu6, true});
  layer.forward();
  layer.backward(true);
  std::vector<float> x = layer.x;
  std::vector<float> dy = layer.dy;
  BatchnormBackward operands = layer.backward_operands();
  operands.x = x.data() + 1;
  operands.dy = dy.data() + 1;
  batchnorm_bwd_data_f32(operands, 0, 37, layer.slope.data(), layer.constant.data(), x.data() + 1, dy.data() + 1);
  EXPECT_TRUE(std::equal(layer.dx.begin(), layer.dx.end(), x.begin() + 1));
  EXPECT_TRUE(std::equal(layer.dresidual.begin(), layer.dresidual.end(), dy.begin() + 1));
}

TEST(Batchnorm, GradientsNobodyWantsAreNotWritten) {
  Layer layer({9, 6, Activation::relu, true});
  layer.forward();
  layer.backward(true);
  std::vector<float> only(layer.dx.size());
  batchnorm_bwd_data_f32(layer.backward_operands(), 0, 9, layer.slope.data(), layer.constant.data(), only.data(),
                         nullptr);
  EXPECT_EQ(only, layer.dx);
  batchnorm_bwd_data_f32(layer.backward_operands(), 0, 9, layer.slope.data(), layer.constant.data(), nullptr,
                         only.data());
  EXPECT_EQ(only, layer.dresidual);
}

/// dy as `count` channels from channel 3 on of pixels of count + 5; what lies between is NaN.
std::vector<float> within_wider_rows(const float* dy, std::size_t rows, std::size_t count) {
  const std::size_t stride = count + 5;
  std::vector<float> wider(rows * stride, NAN);
  for (std::size_t r = 0; r < rows; ++r) std::copy_n(dy + r * count, count, &wider[r * stride + 3]);
  return wider;
}

TEST(Batchnorm, AGradientWithinWiderRowsGivesTheSameBits) {
  constexpr std::size_t kRows = 131;
  for (const std::size_t channels : {1, 3, 4, 7, 8, 17, 24})
    for (const Activation activation : {Activation::none, Activation::relu, Activation::silu}) {
      Layer layer({kRows, channels, activation, activation == Activation::relu});
      layer.forward();
      const Layer before = layer;
      layer.backward(true);
      Layer strided = before;
      strided.dy = within_wider_rows(before.dy.data() + 1, kRows, channels);
      strided.dy_first = 3;
      strided.dy_stride = channels + 5;
      strided.backward(true);
      EXPECT_EQ(strided.dx, layer.dx) << channels;
      EXPECT_EQ(strided.dresidual, layer.dresidual) << channels;
      EXPECT_EQ(strided.dgamma, layer.dgamma) << channels;
      EXPECT_EQ(strided.dbeta, layer.dbeta) << channels;
      Layer expected = strided;
      batchnorm_bwd_f32_ref(strided.backward_operands(), kRows, true, layer.gamma.data() + 1, layer.beta.data() + 1,
                            layer.rstd.data(), expected.dx.data(), expected.dgamma.data(), expected.dbeta.data(),
                            expected.dresidual.data());
      expect_near(strided.dx, expected.dx, 1e-5, "dx", layer.shape);
    }
}

TEST(BatchNorm, SomeChannelsOfRowsFurtherApartAreTheSameAsOfAllChannels) {
  for (const Activation activation : {Activation::none, Activation::relu6, Activation::silu}) {
    Layer layer({9, 23, activation, false});
    layer.forward();
    layer.backward(true);
    for (const auto& [first, count] : {std::pair<std::size_t, std::size_t>{0, 23}, {4, 16}, {5, 7}, {22, 1}}) {
      const std::size_t stride = count + 3;
      std::vector<float> y(9 * stride, -1), dx(9 * stride, -1);
      const BatchnormAffine affine{layer.mean.data() + first, layer.scale.data() + first, layer.beta.data() + 1 + first};
      batchnorm_fwd_strided_f32(activation, 9, count, layer.x.data() + 1 + first, 23, affine, y.data(), stride);
      const BatchnormBackward operands{
          activation, 23, layer.dy.data() + 1 + first, layer.x.data() + 1 + first, nullptr, affine};
      batchnorm_bwd_data_strided_f32(operands, 9, count, layer.slope.data() + first, layer.constant.data() + first,
                                     dx.data(), stride);
      for (std::size_t r = 0; r < 9; ++r)
        for (std::size_t c = 0; c < stride; ++c) {
          ASSERT_EQ(y[r * stride + c], c < count ? layer.y[r * 23 + first + c] : -1) << r << " " << c;
          ASSERT_EQ(dx[r * stride + c], c < count ? layer.dx[r * 23 + first + c] : -1) << r << " " << c;
        }
    }
  }
}

}  // namespace
}  // namespace bramble::kernels
