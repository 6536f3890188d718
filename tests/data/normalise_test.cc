#include "engine/data/normalise.h"

#include <gtest/gtest.h>

#include <vector>

namespace bramble::engine {
namespace {

TEST(Normalise, SubtractsImageNetsMeanAndDividesByItsDeviation) {
  const std::vector<std::uint8_t> rgb = {0, 128, 255, 124, 116, 104};
  std::vector<float> values(6);
  Normaliser().apply(rgb, values);
  EXPECT_FLOAT_EQ(values[0], (0.0f - 0.485f) / 0.229f);
  EXPECT_FLOAT_EQ(values[1], (128.0f / 255.0f - 0.456f) / 0.224f);
  EXPECT_FLOAT_EQ(values[2], (1.0f - 0.406f) / 0.225f);
  for (int i = 3; i < 6; ++i) EXPECT_NEAR(values[static_cast<std::size_t>(i)], 0, 0.02);
}

TEST(Normalise, TakesAnyMeanAndDeviation) {
  const std::vector<std::uint8_t> rgb = {0, 51, 255};
  std::vector<float> values(3);
  Normaliser({.mean = {0.5, 0, 0.25}, .deviation = {0.5, 1, 0.125}}).apply(rgb, values);
  EXPECT_FLOAT_EQ(values[0], -1);
  EXPECT_FLOAT_EQ(values[1], 0.2f);
  EXPECT_FLOAT_EQ(values[2], 6);
}

}  // namespace
}  // namespace bramble::engine
