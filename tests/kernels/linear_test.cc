#include "kernels/linear/linear.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/activation/activation.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm/packed_weight.h"
#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

// x[rows][width] with rows `stride` apart (0: dense), what lies between them NaN.
std::vector<float> apart(const std::vector<float>& x, std::int64_t width, std::int64_t stride) {
  if (stride == 0) return x;
  const std::int64_t rows = static_cast<std::int64_t>(x.size()) / width;
  std::vector<float> spread(size(rows * stride), std::numeric_limits<float>::quiet_NaN());
  for (std::int64_t row = 0; row < rows; ++row)
    std::copy_n(x.data() + row * width, width, spread.data() + row * stride);
  return spread;
}

// An update that puts the gradient in the weight's place and counts in the state's: of all panels of 12 columns, and of
// nothing else.
void expect_update_by_tiles(const LinearShape& shape, const std::vector<float>& x, const std::vector<float>& dy,
                            const float* packed, const std::vector<float>& dw) {
  for (const bool with_state : {false, true}) {
    std::vector<float> weight(dw.size(), 3.0f), state(dw.size(), 5.0f), partial(dw.size());
    std::vector<float> scratch(size(linear_bwd_weight_scratch(shape)));
    GemmUpdate update;
    update.weight = weight.data();
    if (with_state) update.state = state.data();
    update.run = [](const void*, const float* gradient, float* w, float* s) {
      for (int i = 0; i < 96; ++i) w[i] = w[i] == 3.0f ? gradient[i] : NAN;
      for (int i = 0; s && i < 96; ++i) s[i] += 1;
    };
    const std::int64_t width = std::max(shape.in, shape.out), unit = linear_bwd_weight_unit(shape);
    for (std::int64_t begin = 0; begin < width; begin += unit) {
      linear_bwd_weight_f32(shape, x.data(), dy.data(), packed, partial.data(), &update, nullptr, begin,
                            std::min(begin + unit, width), scratch.data());
    }
    const std::size_t whole = size(shape.out / 12 * 12 * shape.in);
    for (std::size_t i = 0; i < dw.size(); ++i) {
      ASSERT_EQ(weight[i], i < whole ? dw[i] : 3.0f) << i;
      ASSERT_EQ(state[i], with_state && i < whole ? 6.0f : 5.0f) << i;
      ASSERT_EQ(i < whole ? 0 : partial[i], i < whole ? 0 : dw[i]) << i;
    }
  }
}

TEST(Linear, TheWeightsGradientMatchesTheReferenceWhicheverOperandIsWider) {
  for (const LinearShape& shape : {LinearShape{1, 8, 4},
                                   {7, 8, 12},
                                   {33, 16, 100},
                                   {200, 24, 52},
                                   {394, 48, 40},
                                   {150, 96, 20},
                                   {130, 104, 12},
                                   {2, 400, 8},
                                   {2, 8, 400},
                                   {150, 512, 128},
                                   {150, 128, 516},
                                   {210, 768, 776},
                                   {150, 512, 128, 528},
                                   {150, 128, 384, 0, 400},
                                   {410, 128, 256, 144, 272},
                                   {410, 256, 128, 272, 144}}) {
    ASSERT_TRUE(linear_bwd_weight_takes(shape));
    const auto x = test::uniform(size(shape.rows * shape.in), 1);
    const auto dy = test::uniform(size(shape.rows * shape.out), 2);
    const auto elements = size(packed_weight_elements(shape.in, shape.out));
    std::vector<float> dw(elements, 7.0f), db(size(shape.out), 7.0f);
    std::vector<float> scratch(size(linear_bwd_weight_scratch(shape)));
    const std::int64_t chunks = linear_bwd_weight_chunks(shape);
    EXPECT_EQ(chunks > 0, (shape.slices_rows() ? shape.dy_step() : shape.x_step()) % 128 == 0);
    const auto x_rows = apart(x, shape.in, shape.x_stride), dy_rows = apart(dy, shape.out, shape.dy_stride);
    std::vector<float> packed(size(linear_bwd_weight_packed_floats(shape)));
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk)
      linear_bwd_weight_pack_f32(shape, chunk, x_rows.data(), dy_rows.data(), packed.data());
    const std::int64_t width = std::max(shape.in, shape.out), unit = linear_bwd_weight_unit(shape);
    for (std::int64_t begin = 0; begin < width; begin += unit) {
      linear_bwd_weight_f32(shape, x_rows.data(), dy_rows.data(), chunks > 0 ? packed.data() : nullptr, dw.data(),
                            nullptr, db.data(), begin, std::min(begin + unit, width), scratch.data());
    }
    expect_update_by_tiles(shape, x_rows, dy_rows, chunks > 0 ? packed.data() : nullptr, dw);
    const double bound = 1e-6 * (4 + 2 * std::sqrt(static_cast<double>(shape.rows)));
    for (std::int64_t o = 0; o < shape.out; ++o) {
      double bias = 0;
      for (std::int64_t m = 0; m < shape.rows; ++m) bias += dy[size(m * shape.out + o)];
      EXPECT_NEAR(db[size(o)], bias, bound);
      for (std::int64_t i = 0; i < shape.in; ++i) {
        double sum = 0;
        for (std::int64_t m = 0; m < shape.rows; ++m) {
          sum += static_cast<double>(x[size(m * shape.in + i)]) * dy[size(m * shape.out + o)];
        }
        ASSERT_NEAR(dw[size(packed_weight_offset(shape.in, shape.out, i, o))], sum, bound) << i << ' ' << o;
      }
    }
  }
}

TEST(Linear, ByDataOfTheStoredWeightMatchesTheReferenceHoweverItIsCut) {
  for (const LinearShape& shape :
       {LinearShape{1, 8, 4}, {9, 13, 7}, {140, 40, 52}, {133, 26, 61}, {20, 96, 100}, {20, 96, 100, 112, 116}}) {
    const auto dy = test::uniform(size(shape.rows * shape.out), 1),
               weight = test::uniform(size(shape.in * shape.out), 2);
    const auto scale = test::uniform(size(shape.out), 3), addend = test::uniform(size(shape.rows * shape.in), 4);
    const auto z = test::uniform(size(shape.rows * shape.in), 5);
    const auto dy_rows = apart(dy, shape.out, shape.dy_stride), z_rows = apart(z, shape.in, shape.x_stride);
    const auto addend_rows = apart(addend, shape.in, shape.x_stride);
    std::vector<float> packed(size(packed_weight_elements(shape.in, shape.out)));
    pack_weight_f32({shape.out, shape.in}, weight.data(), packed.data());
    for (const bool with_all : {false, true}) {
      LinearBwdDataOperands operands{dy_rows.data(), packed.data()};
      if (with_all) operands = {dy_rows.data(), packed.data(), scale.data(), addend_rows.data(), z_rows.data()};
      for (const std::int64_t depth_step : {std::int64_t{4}, std::int64_t{28}, round_up(shape.out, 4)}) {
        std::vector<float> dx(size(shape.rows * shape.x_step()), 7.0f);
        std::vector<float> scratch(size(linear_bwd_data_transposing_scratch(24, depth_step)));
        for (std::int64_t begin = 0; begin < shape.in; begin += 24) {
          linear_bwd_data_transposing_f32(shape, operands, dx.data(), begin, std::min(begin + 24, shape.in), depth_step,
                                          scratch.data());
        }
        for (std::int64_t at = 0; at < shape.rows * shape.in; ++at) {
          double sum = 0;
          for (std::int64_t o = 0; o < shape.out; ++o) {
            sum += static_cast<double>(dy[size(at / shape.in * shape.out + o)]) * (with_all ? scale[size(o)] : 1) *
                   weight[size(o * shape.in + at % shape.in)];
          }
          if (with_all) sum = (sum + addend[size(at)]) * activation_gradient_ref(Activation::gelu, z[size(at)]);
          ASSERT_NEAR(dx[size(at / shape.in * shape.x_step() + at % shape.in)], sum,
                      1e-6 * (4 + 2 * std::sqrt(static_cast<double>(shape.out))))
              << at;
        }
      }
    }
  }
}

TEST(Linear, TheTransposedWeightsRowsAreScaled) {
  for (const auto& [in, out] : {std::pair<std::int64_t, std::int64_t>{1, 1}, {12, 13}, {29, 24}, {50, 37}}) {
    const LinearShape shape{1, in, out};
    const auto weight = test::uniform(size(in * out), 1), scale = test::uniform(size(out), 2);
    std::vector<float> packed(size(packed_weight_elements(in, out)));
    pack_weight_f32({out, in}, weight.data(), packed.data());
    std::vector<float> got(size(packed_weight_elements(out, in)), 7.0f);
    const std::int64_t split = in / 24 * 12;
    linear_transpose_weight_f32(shape, packed.data(), scale.data(), 0, split, got.data());
    linear_transpose_weight_f32(shape, packed.data(), scale.data(), split, in, got.data());
    for (std::int64_t o = 0; o < out; ++o)
      for (std::int64_t i = 0; i < in; ++i)
        ASSERT_EQ(got[size(packed_weight_offset(out, in, o, i))], weight[size(o * in + i)] * scale[size(o)]);
  }
}

TEST(Linear, OddWidthsAreRefused) {
  EXPECT_FALSE(linear_bwd_weight_takes({4, 12, 8}));
  EXPECT_FALSE(linear_bwd_weight_takes({4, 8, 10}));
}

}  // namespace
}  // namespace bramble::kernels
