#include "engine/golden.h"

#include <gtest/gtest.h>

#include <numeric>

namespace bramble::engine {
namespace {

// Expected values: the rule of golden/README.md in Python's integers.
TEST(Golden, UniformFollowsTheRule) {
  const GoldenUniform input("input", 0);
  EXPECT_EQ(input(0), -0.8043633699417114);
  EXPECT_EQ(input(1), 0.30472075939178467);
  EXPECT_EQ(input(2), -0.5927515029907227);
  EXPECT_EQ(input(150527), -0.20100128650665283);
  const GoldenUniform weight("conv1.weight", 3);
  EXPECT_EQ(weight(0), 0.5853956937789917);
  EXPECT_EQ(weight(9407), 0.7031046152114868);
}

TEST(Golden, ParametersAreScaledByTheirKind) {
  const std::vector<float> convolution = golden_parameter("conv1.weight", {64, 3, 7, 7}, 0);
  ASSERT_EQ(convolution.size(), 9408U);
  EXPECT_EQ(convolution[0], 0.012878553941845894f);
  EXPECT_EQ(convolution[1], 0.07004620134830475f);
  EXPECT_EQ(convolution[9407], -0.08578973263502121f);
  const std::vector<float> norm = golden_parameter("bn1.weight", {64}, 0);
  EXPECT_EQ(norm[0], 0.9720407724380493f);
  EXPECT_EQ(norm[63], 0.9969024658203125f);
  const std::vector<float> bias = golden_parameter("fc.bias", {1000}, 5);
  EXPECT_EQ(bias[0], -0.060531578958034515f);
  EXPECT_EQ(bias[999], 0.09949181973934174f);
}

TEST(Golden, ImagesAreTransposedToChannelsLast) {
  std::vector<float> images(2 * 5 * 5 * 3);
  golden_images(2, 5, 2, images);
  EXPECT_EQ(images[0], -1.2985725402832031f);     // index 0 of the rule: image 0, red, first pixel
  EXPECT_EQ(images[1], -1.141456127166748f);      // 25: green
  EXPECT_EQ(images[2], -0.3115001916885376f);     // 50: blue
  EXPECT_EQ(images[75], -1.433225393295288f);     // 75: image 1
  EXPECT_EQ(images[3], -0.11149756610393524f);    // 1: image 0, red, second pixel
  EXPECT_EQ(images[149], -0.38653087615966797f);  // 149: the very last
}

TEST(Golden, LabelsCycleThroughTheClasses) {
  std::vector<std::int32_t> labels(4);
  golden_labels(10, labels);
  EXPECT_EQ(labels, (std::vector<std::int32_t>{3, 0, 7, 4}));
}

TEST(Golden, ProbeIsTheNormAndTwoSignedSums) {
  const std::vector<float> values = {-0.4f, -0.03f, 0.34f, -0.29f, 0.08f, 0.45f, -0.18f};
  const Probe probe = golden_probe(values, "grad:fc.bias", 4);
  EXPECT_NEAR(probe[0], 0.7758221406225099, 1e-7);
  EXPECT_NEAR(probe[1], 0.37999999336898327, 1e-7);
  EXPECT_NEAR(probe[2], -0.7099999934434891, 1e-7);
}

}  // namespace
}  // namespace bramble::engine
