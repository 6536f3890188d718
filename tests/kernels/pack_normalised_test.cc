#include "kernels/conv2d/pack_normalised.h"

#include <gtest/gtest.h>

#include <vector>

#include "kernels/gemm/gemm.h"
#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

using test::uniform;

constexpr std::int64_t kSizes[] = {1, 3, 4, 7, 8, 9, 16, 19};

// Pixels of an image, and which of its rows the first is: panels of eight have one image, or parts of two or three.
constexpr std::int64_t kPixels[] = {5, 12}, kFirstRow = 3;

// Normalising (and gating) first and packing then gives the same bits. Everything starts one float into its buffer.
struct Operands {
  Operands(std::int64_t rows, std::int64_t channels, Activation kind, std::int64_t pixels)
      : row_stride(channels + 3),
        x(uniform(static_cast<std::size_t>(rows * row_stride + 1), 1, -4, 9)),
        normal(x.size(), 77),
        mean(uniform(static_cast<std::size_t>(channels + 1), 2)),
        scale(uniform(static_cast<std::size_t>(channels + 1), 3, -2, 2)),
        beta(uniform(static_cast<std::size_t>(channels + 1), 4)),
        gate(uniform(static_cast<std::size_t>((kFirstRow + rows) * channels + 1), 5, 0, 1)),
        way_in{kind, {mean.data() + 1, scale.data() + 1, beta.data() + 1}} {
    if (pixels > 0) way_in.gate = {gate.data() + 1, channels, pixels, kFirstRow};
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::int64_t at = 1 + r * row_stride;
      batchnorm_fwd_f32(kind, 0, 1, static_cast<std::size_t>(channels), x.data() + at, way_in.affine, nullptr,
                        normal.data() + at);
      if (pixels == 0) continue;
      const float* const factors = gate.data() + 1 + (kFirstRow + r) / pixels * channels;
      for (std::int64_t c = 0; c < channels; ++c) normal[static_cast<std::size_t>(at + c)] *= factors[c];
    }
  }

  std::int64_t row_stride;
  std::vector<float> x, normal, mean, scale, beta, gate;
  Normalisation way_in;
};

// run(rows or channels, depth, operands' activation, pixels of an image or 0 without a gate) over all of them.
template <class Run>
void for_each_case(Run run) {
  for (const std::int64_t rows : kSizes) {
    for (const std::int64_t depth : kSizes) {
      for (const Activation kind : {Activation::none, Activation::relu6, Activation::hard_swish, Activation::silu}) {
        run(rows, depth, kind, std::int64_t{0});
        for (const std::int64_t pixels : kPixels) run(rows, depth, kind, pixels);
      }
    }
  }
}

TEST(PackNormalised, RowsAreNormalisedAndPacked) {
  for_each_case([](std::int64_t rows, std::int64_t depth, Activation kind, std::int64_t pixels) {
    const Operands o(rows, depth, kind, pixels);
    std::vector<float> expected(static_cast<std::size_t>(gemm_a_elements(rows, depth)), 77), actual = expected;
    gemm_pack_a_f32(rows, depth, o.normal.data() + 1, o.row_stride, expected.data());
    pack_a_normalised_f32(o.way_in, rows, depth, o.x.data() + 1, o.row_stride, actual.data());
    EXPECT_EQ(actual, expected) << rows << " x " << depth << ", images of " << pixels;
  });
}

TEST(PackNormalised, ChannelsAreNormalisedAndPacked) {
  for_each_case([](std::int64_t channels, std::int64_t depth, Activation kind, std::int64_t pixels) {
    const Operands o(depth, channels, kind, pixels);
    std::vector<float> expected(static_cast<std::size_t>(gemm_a_elements(channels, depth)), 77), actual = expected;
    gemm_pack_a_trans_f32(channels, depth, o.normal.data() + 1, o.row_stride, expected.data());
    pack_a_trans_normalised_f32(o.way_in, channels, depth, o.x.data() + 1, o.row_stride, actual.data());
    EXPECT_EQ(actual, expected) << channels << " x " << depth << ", images of " << pixels;
  });
}

TEST(PackNormalised, RowsAndChannelsFromSomewhereOnHaveTheirOwnFactors) {
  const std::int64_t rows = 19, depth = 16, channel = 4, row = 7;
  const Operands o(rows, depth, Activation::silu, 5);
  std::vector<float> expected(static_cast<std::size_t>(gemm_a_elements(rows - row, depth - channel)));
  auto actual = expected;
  const std::int64_t at = 1 + row * o.row_stride + channel;
  gemm_pack_a_f32(rows - row, depth - channel, o.normal.data() + at, o.row_stride, expected.data());
  pack_a_normalised_f32(o.way_in.from(channel).from_row(row), rows - row, depth - channel, o.x.data() + at,
                        o.row_stride, actual.data());
  EXPECT_EQ(actual, expected);
}

}  // namespace
}  // namespace bramble::kernels
