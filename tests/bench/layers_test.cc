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
    for (const LayerUse& use : layer.uses) models.insert(use.model);
    EXPECT_GT(layer.bytes, 0) << layer.name;
  }
  EXPECT_EQ(models.size(), 8U);
}

TEST(Layers, AConvolutionHasAllItsPassesAndAPeer) {
  const auto layers = layers_of_models(2);
  const double flops = 2.0 * 2 * 56 * 56 * 64 * 64 * 9, tensor = 4.0 * 2 * 56 * 56 * 64, weight = 4.0 * 64 * 64 * 9;
  const double sums = 8.0 * 64 * 2 * 64;
  for (const std::string pass : {"_sums/fwd", "/bwd_data", "/bwd_weight"}) {
    const bool forward = pass == "_sums/fwd";
    const Layer& layer = find(layers, "conv2d/56x56_64_3x3" + pass);
    EXPECT_EQ(layer.flops, flops) << pass;
    EXPECT_NEAR(layer.bytes, 2 * tensor + weight + (forward ? sums : 0), 0.02 * weight) << pass;
    EXPECT_EQ(layer.peer.has_value(), forward);
  }
  EXPECT_TRUE(find(layers, "depthwise_conv2d/112x112_96_3x3_s2_normalised_sums/fwd").peer.has_value());
  EXPECT_TRUE(find(layers, "linear/394_192_768_gelu/fwd").peer.has_value());
}

TEST(Layers, ABatchNormReadsWhatItIsNotGivenTheSumsOfTwice) {
  const auto layers = layers_of_models(2);
  const double tensor = 4.0 * 2 * 112 * 112 * 64;
  EXPECT_NEAR(find(layers, "batchnorm/112x112x64_relu_summed/fwd").bytes, 2 * tensor, 1 << 17);
  EXPECT_NEAR(find(layers, "batchnorm/112x112x64_relu/bwd").bytes, 5 * tensor, 4096);
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
