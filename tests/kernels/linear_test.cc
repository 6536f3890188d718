#include "kernels/linear/linear.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/gemm/packed_weight.h"
#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

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
                                   {210, 768, 776}}) {
    ASSERT_TRUE(linear_bwd_weight_takes(shape));
    const auto x = test::uniform(size(shape.rows * shape.in), 1);
    const auto dy = test::uniform(size(shape.rows * shape.out), 2);
    const auto elements = size(packed_weight_elements(shape.in, shape.out));
    std::vector<float> dw(elements, 7.0f), db(size(shape.out), 7.0f);
    std::vector<float> scratch(size(linear_bwd_weight_scratch(shape)));
    const std::int64_t chunks = linear_bwd_weight_chunks(shape);
    EXPECT_EQ(chunks > 0, std::min(shape.in, shape.out) >= 128);
    std::vector<float> packed(size(linear_bwd_weight_packed_floats(shape)));
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk)
      linear_bwd_weight_pack_f32(shape, chunk, x.data(), dy.data(), packed.data());
    const std::int64_t width = std::max(shape.in, shape.out), unit = linear_bwd_weight_unit(shape);
    for (std::int64_t begin = 0; begin < width; begin += unit) {
      linear_bwd_weight_f32(shape, x.data(), dy.data(), chunks > 0 ? packed.data() : nullptr, dw.data(), db.data(),
                            begin, std::min(begin + unit, width), scratch.data());
    }
    const double bound = 1e-6 * (4 + 2 * std::sqrt(static_cast<double>(shape.rows)));
    for (std::int64_t o = 0; o < shape.out; ++o) {
      double bias = 0;
      for (std::int64_t m = 0; m < shape.rows; ++m) bias += dy[size(m * shape.out + o)];
      if (shape.slices_rows()) {
        EXPECT_EQ(db[size(o)], 7.0f);
      } else {
        EXPECT_NEAR(db[size(o)], bias, bound);
      }
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

TEST(Linear, OddWidthsAreRefused) {
  EXPECT_FALSE(linear_bwd_weight_takes({4, 12, 8}));
  EXPECT_FALSE(linear_bwd_weight_takes({4, 8, 10}));
}

}  // namespace
}  // namespace bramble::kernels
