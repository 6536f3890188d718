#include "kernels/conv2d/pack_normalised.h"

#include <gtest/gtest.h>

#include <vector>

#include "kernels/gemm/gemm.h"
#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

using test::uniform;

constexpr std::int64_t kSizes[] = {1, 3, 4, 7, 8, 9, 16, 19};

// Normalising first and packing then gives the same bits. Everything starts one float into its buffer.
struct Operands {
  Operands(std::int64_t rows, std::int64_t channels, Activation kind)
      : row_stride(channels + 3),
        x(uniform(static_cast<std::size_t>(rows * row_stride + 1), 1, -4, 9)),
        normal(x.size(), 77),
        mean(uniform(static_cast<std::size_t>(channels + 1), 2)),
        scale(uniform(static_cast<std::size_t>(channels + 1), 3, -2, 2)),
        beta(uniform(static_cast<std::size_t>(channels + 1), 4)),
        way_in{kind, {mean.data() + 1, scale.data() + 1, beta.data() + 1}} {
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::int64_t at = 1 + r * row_stride;
      batchnorm_fwd_f32(kind, 0, 1, static_cast<std::size_t>(channels), x.data() + at, way_in.affine, nullptr,
                        normal.data() + at);
    }
  }

  std::int64_t row_stride;
  std::vector<float> x, normal, mean, scale, beta;
  Normalisation way_in;
};

TEST(PackNormalised, RowsAreNormalisedAndPacked) {
  for (const std::int64_t rows : kSizes) {
    for (const std::int64_t depth : kSizes) {
      for (const Activation kind : {Activation::none, Activation::relu6, Activation::hard_swish, Activation::silu}) {
        const Operands o(rows, depth, kind);
        std::vector<float> expected(static_cast<std::size_t>(gemm_a_elements(rows, depth)), 77), actual = expected;
        gemm_pack_a_f32(rows, depth, o.normal.data() + 1, o.row_stride, expected.data());
        pack_a_normalised_f32(o.way_in, rows, depth, o.x.data() + 1, o.row_stride, actual.data());
        ASSERT_EQ(actual, expected) << rows << " x " << depth;
      }
    }
  }
}

TEST(PackNormalised, ChannelsAreNormalisedAndPacked) {
  for (const std::int64_t channels : kSizes) {
    for (const std::int64_t depth : kSizes) {
      for (const Activation kind : {Activation::none, Activation::relu6, Activation::hard_swish, Activation::silu}) {
        const Operands o(depth, channels, kind);
        std::vector<float> expected(static_cast<std::size_t>(gemm_a_elements(channels, depth)), 77), actual = expected;
        gemm_pack_a_trans_f32(channels, depth, o.normal.data() + 1, o.row_stride, expected.data());
        pack_a_trans_normalised_f32(o.way_in, channels, depth, o.x.data() + 1, o.row_stride, actual.data());
        ASSERT_EQ(actual, expected) << channels << " x " << depth;
      }
    }
  }
}

}  // namespace
}  // namespace bramble::kernels
