#include "bench/kernels/layers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace bramble::bench {
namespace {

const Layer& find(const std::vector<Layer>& layers, const std::string& name) {
  const auto found = std::find_if(layers.begin(), layers.end(), [&](const Layer& l) { return l.name == name; });
  if (found == layers.end()) throw std::runtime_error("no case " + name);
  return *found;
}

TEST(Layers, EachIsThereOnceAndSomeModelHasIt) {
  std::set<std::string> names, models;
  for (const Layer& layer : layers_of_models(2)) {
    EXPECT_TRUE(names.insert(layer.name).second) << layer.name;
    EXPECT_FALSE(layer.uses.empty()) << layer.name;
    EXPECT_EQ(layer.peer.has_value(), !layer.plain.empty()) << layer.name;
    for (const LayerUse& use : layer.uses) models.insert(use.model);
    EXPECT_GT(layer.bytes, 0) << layer.name;
  }
  EXPECT_EQ(models.size(), 8U);
}

TEST(Layers, AConvolutionHasAllItsPassesAndAPeer) {
  const auto layers = layers_of_models(2);
  const double flops = 2.0 * 2 * 56 * 56 * 64 * 64 * 9, tensor = 4.0 * 2 * 56 * 56 * 64, weight = 4.0 * 64 * 64 * 9;
  const double sums = 8.0 * 64 * 2 * 64;
  // By data takes the sums of the BatchNorm before it with that one's x.
  const std::map<std::string, double> beside{
      {"_sums/fwd", sums}, {"_sums/bwd_data", tensor + sums}, {"/bwd_weight", 0.0}};
  for (const auto& [pass, more] : beside) {
    const Layer& layer = find(layers, "conv2d/56x56_64_3x3" + pass);
    EXPECT_EQ(layer.flops, flops) << pass;
    EXPECT_NEAR(layer.bytes, 2 * tensor + weight + more, 0.02 * weight) << pass;
    EXPECT_EQ(layer.peer.has_value(), pass == "_sums/fwd");
  }
}

TEST(Layers, WhatXnnpackHasIsThereAlone) {
  const auto layers = layers_of_models(2);
  for (const Layer& layer : layers) {
    if (layer.peer) {
      EXPECT_TRUE(find(layers, layer.plain).is_plain()) << layer.name;
    }
  }
  const std::map<std::string, std::string> plain{
      {"conv2d/56x56_64_3x3_sums/fwd", "conv2d/56x56_64_3x3/fwd"},
      {"conv2d/14x14_480_112_1x1_normalised_gated_sums/fwd", "conv2d/14x14_480_112_1x1/fwd"},
      {"depthwise_conv2d/112x112_96_3x3_s2_normalised_sums/fwd", "depthwise_conv2d/112x112_96_3x3_s2/fwd"},
      {"linear/394_192_768_gelu/fwd", "linear/394_192_768/fwd"}};
  for (const auto& [as_trained, alone] : plain) {
    EXPECT_EQ(find(layers, as_trained).plain, alone);
    EXPECT_FALSE(find(layers, as_trained).is_plain());
    const Layer& layer = find(layers, alone);
    EXPECT_TRUE(layer.is_plain()) << alone;
    for (const LayerUse& use : layer.uses) EXPECT_EQ(use.count, 0) << alone;
  }
  // Training runs it so, too.
  const Layer& patches = find(layers, "conv2d/224x224_3_192_16x16_s16_p0/fwd");
  EXPECT_TRUE(patches.is_plain());
  EXPECT_EQ(patches.uses, (std::vector<LayerUse>{{"vit_tiny", 1}}));
}

TEST(Layers, DepthwiseGradientsAreThereAlone) {
  const auto layers = layers_of_models(2);
  const Layer& alone = find(layers, "depthwise_conv2d/56x56_144_3x3/bwd");
  EXPECT_EQ(alone.uses, (std::vector<LayerUse>{{"mobilenetv2_100", 0}, {"efficientnet_b0", 0}}));
  const Layer& trained = find(layers, "depthwise_conv2d/56x56_144_3x3_normalised_sums/bwd");
  EXPECT_EQ(alone.flops, trained.flops);
  // x, dy, dx and the taps, read and their gradient; what normalises reads as well has names of its own.
  EXPECT_NEAR(alone.bytes, 4.0 * (3 * 2 * 56 * 56 * 144 + 2 * 9 * 144), 1);
}

TEST(Layers, ABatchNormReadsWhatItIsNotGivenTheSumsOfTwice) {
  const auto layers = layers_of_models(2);
  const double tensor = 4.0 * 2 * 56 * 56 * 64, shortcut = 4.0 * 2 * 28 * 28 * 512, stem = 4 * tensor;
  EXPECT_NEAR(find(layers, "batchnorm/56x56x64_relu_summed/fwd").bytes, 2 * tensor, 1 << 17);
  EXPECT_NEAR(find(layers, "batchnorm/28x28x512/bwd").bytes, 5 * shortcut, 1 << 15);
  // The stem's leaves normalising to the pooling, whose gradient, and argmax, it takes instead of its own.
  EXPECT_LT(find(layers, "batchnorm/112x112x64_relu_summed_left/fwd").bytes, 1 << 17);
  EXPECT_NEAR(find(layers, "batchnorm/112x112x64_relu_pooled/bwd").bytes, 3 * stem + 2 * 1.25 * stem / 4, 1 << 14);
}

TEST(Layers, WhatJoinsIsNamed) {
  const auto layers = layers_of_models(2);
  find(layers, "pointwise_conv2d/56x56_256_64_1x1_add_sums_masked/bwd");
  find(layers, "batchnorm/56x56x256_relu_add_normalised_summed/fwd");
}

TEST(Layers, AttentionsNameSaysItsWindowsAndItsBias) {
  const auto layers = layers_of_models(2);
  EXPECT_EQ(find(layers, "attention/8x53x960_h8_bias/bwd").uses, (std::vector<LayerUse>{{"faster_vit_1", 8}}));
  for (const std::string name : {"56x56x288_h3_windows_bias", "56x56x288_h3_shifted_windows_bias"})
    EXPECT_EQ(find(layers, "attention/2x" + name + "/fwd").flops, 2.0 * 2 * 2 * 56 * 56 * 49 * 96) << name;
}

TEST(Layers, NothingIsComputedForTheImages) {
  for (const Layer& layer : layers_of_models(2)) EXPECT_NE(layer.name, "conv2d/224x224_3_32_3x3_s2/bwd_data");
}

}  // namespace
}  // namespace bramble::bench
