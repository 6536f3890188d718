#include "kernels/linear/linear_scale.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/gemm/gemm.h"
#include "kernels/gemm/packed_weight.h"
#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

using test::uniform;

constexpr std::int64_t kSizes[] = {1, 3, 4, 11, 12, 13, 24, 63, 65, 130};

std::vector<float> packed(std::int64_t in, std::int64_t out, int seed) {
  const auto torch = uniform(static_cast<std::size_t>(in * out), static_cast<unsigned>(seed));
  std::vector<float> panels(static_cast<std::size_t>(packed_weight_elements(in, out)));
  pack_weight_f32({out, in}, torch.data(), panels.data());
  return panels;
}

struct Layer {
  Layer(std::int64_t in, std::int64_t out)
      : weight(packed(in, out, 1)),
        unscaled(packed(in, out, 2)),
        bias(uniform(static_cast<std::size_t>(out), 3)),
        unscaled_db(uniform(static_cast<std::size_t>(out), 4)),
        scale(uniform(static_cast<std::size_t>(out), 5, 0.5f, 2)),
        shape{in, out, weight.data(), bias.data(), scale.data()} {}

  std::vector<float> weight, unscaled, bias, unscaled_db, scale;
  LinearScale shape;
};

TEST(LinearScale, GradientsMatchTheReferenceInSlicesAndInPlace) {
  for (const std::int64_t in : kSizes) {
    for (const std::int64_t out : kSizes) {
      const Layer layer(in, out);
      std::vector<float> dw = layer.unscaled, db = layer.unscaled_db, dscale(layer.scale.size(), 77);
      std::vector<float> expected_dw = dw, expected_db = db, expected = dscale;
      const std::int64_t split = out / 2 / 12 * 12;
      linear_scale_bwd_f32(layer.shape, dw.data(), db.data(), 0, split, dw.data(), nullptr, dscale.data());
      linear_scale_bwd_f32(layer.shape, dw.data(), db.data(), split, out, dw.data() + split * in, nullptr,
                           dscale.data());
      linear_scale_bwd_f32(layer.shape, layer.unscaled.data(), db.data(), 0, out, nullptr, db.data(), nullptr);
      linear_scale_bwd_f32_ref(layer.shape, layer.unscaled.data(), layer.unscaled_db.data(), expected_dw.data(),
                               expected_db.data(), expected.data());
      EXPECT_EQ(dw, expected_dw) << in << " x " << out;
      EXPECT_EQ(db, expected_db) << in << " x " << out;
      for (std::size_t o = 0; o < expected.size(); ++o)
        ASSERT_NEAR(dscale[o], expected[o], 1e-6 * std::sqrt(static_cast<double>(in))) << in << " x " << out;
    }
  }
}

TEST(LinearScale, ABiaslessLayerNeedsNoColumnSums) {
  Layer layer(20, 8);
  layer.shape.bias = nullptr;
  std::vector<float> dw(layer.unscaled.size()), dscale(8), expected(8);
  linear_scale_bwd_f32(layer.shape, layer.unscaled.data(), nullptr, 0, 8, dw.data(), nullptr, dscale.data());
  linear_scale_bwd_f32_ref(layer.shape, layer.unscaled.data(), nullptr, nullptr, nullptr, expected.data());
  for (std::size_t o = 0; o < expected.size(); ++o) ASSERT_NEAR(dscale[o], expected[o], 1e-5);
}

TEST(LinearScale, RowsOfThePanelsAreScaled) {
  for (const std::int64_t depth : kSizes) {
    for (const std::int64_t cols : kSizes) {
      const auto plain = uniform(static_cast<std::size_t>(depth * cols), 1);
      const auto scale = uniform(static_cast<std::size_t>(depth), 2);
      std::vector<float> scaled = plain;
      for (std::size_t i = 0; i < scaled.size(); ++i) scaled[i] *= scale[i / static_cast<std::size_t>(cols)];
      std::vector<float> panels(static_cast<std::size_t>(gemm_b_elements(depth, cols))), expected = panels;
      gemm_pack_b_f32(depth, cols, plain.data(), cols, panels.data());
      gemm_pack_b_f32(depth, cols, scaled.data(), cols, expected.data());
      linear_scale_rows_f32(depth, cols, scale.data(), panels.data());
      EXPECT_EQ(panels, expected) << depth << " x " << cols;
    }
  }
}

}  // namespace
}  // namespace bramble::kernels
