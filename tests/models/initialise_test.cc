// The figures are those of timm 0.9.10's own create_model: each parameter's deviation and the shape of its distribution.
#include "models/initialise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace bramble::models {
namespace {

constexpr int kClasses = 10;

struct Expected {
  const char* model;
  const char* parameter;
  double deviation;
  double tolerance;       ///< of the deviation, relative
  double largest;         ///< the largest magnitude may be this many deviations; a uniform distribution's is 1.73
};

struct Statistics {
  double mean = 0, deviation = 0, largest = 0;
};

Statistics statistics_of(const std::vector<float>& values) {
  Statistics result;
  for (const float value : values) result.mean += value / static_cast<double>(values.size());
  for (const float value : values) {
    result.deviation += std::pow(value - result.mean, 2) / static_cast<double>(values.size());
    result.largest = std::max(result.largest, std::abs(static_cast<double>(value)));
  }
  result.deviation = std::sqrt(result.deviation);
  return result;
}

std::vector<float> initial(const char* model, const char* parameter, std::uint64_t seed = 0) {
  const ModelInfo& info = find_model(model);
  const graph::Model built = build_model(info, {.batch = 1, .size = 224, .classes = kClasses});
  return initial_parameter(info, built.graph, parameter, seed);
}

TEST(Initialise, DrawsTimmsDistributions) {
  const Expected rows[] = {
      {"resnet18", "conv1.weight", 0.02526, 0.03, 6}, {"resnet18", "layer4.1.conv2.weight", 0.020833, 0.01, 6},
      {"resnet18", "fc.weight", 0.025516, 0.03, 1.8}, {"resnet18", "fc.bias", 0.025516, 0.5, 2.5},
      {"mobilenetv2_050", "conv_stem.weight", 0.11785, 0.12, 6},
      {"mobilenetv2_050", "blocks.5.0.conv_dw.weight", 0.4714, 0.06, 6},
      {"mobilenetv2_050", "conv_head.weight", 0.039528, 0.01, 6},
      {"mobilenetv2_050", "classifier.weight", 0.18257, 0.03, 1.8},
      {"mobilenetv3_small_075", "blocks.1.0.conv_pw.weight", 0.16667, 0.1, 6},
      {"vit_tiny", "blocks.0.attn.qkv.weight", 0.02, 0.01, 6}, {"vit_tiny", "pos_embed", 0.02, 0.02, 6},
      {"vit_tiny", "cls_token", 1e-6, 0.2, 5}, {"vit_tiny", "patch_embed.proj.weight", 0.020833, 0.01, 1.8},
      {"vit_tiny", "patch_embed.proj.bias", 0.020833, 0.2, 2.2}, {"vit_tiny", "head.weight", 0.02, 0.1, 6},
      {"convnext_tiny", "stem.0.weight", 0.02, 0.05, 6}, {"convnext_tiny", "stages.0.blocks.0.conv_dw.weight", 0.02, 0.05, 6},
      {"mlpmixer_b16", "blocks.0.mlp_tokens.fc1.bias", 1e-6, 0.2, 5},
      {"mlpmixer_b16", "blocks.0.mlp_tokens.fc1.weight", 0.058621, 0.02, 1.8},
      {"mlpmixer_b16", "stem.proj.weight", 0.036084, 0.01, 2.28},
      {"inception_next_tiny", "stem.0.weight", 0.02, 0.05, 6}, {"inception_next_tiny", "head.fc1.weight", 0.02, 0.01, 6},
      {"mobilevitv2_050", "stem.conv.weight", 0.11785, 0.12, 6}, {"mobilevitv2_050", "head.fc.weight", 0.01, 0.06, 6},
      {"fastvit_t8", "stages.0.blocks.0.mlp.fc1.weight", 0.02, 0.05, 6}, {"fastvit_t8", "head.fc.weight", 0.02, 0.05, 6},
      {"fastvit_t8", "stem.0.conv_kxk.0.conv.weight", 0.1111, 0.06, 1.9},
      {"efficientvit_b0", "head.in_conv.conv.weight", 0.051031, 0.01, 1.8},
      {"ghostnetv2_100", "classifier.weight", 0.016137, 0.03, 1.8},
      {"swin_tiny", "head.fc.weight", 0.02, 0.05, 6},
      {"swin_tiny", "layers.0.blocks.0.attn.qkv.weight", 0.02, 0.02, 6},
      {"swin_tiny", "layers.0.blocks.0.attn.relative_position_bias_table", 0.02, 0.1, 6},
      {"swin_tiny", "patch_embed.proj.weight", 0.083333, 0.03, 1.8},
      {"faster_vit_0", "levels.2.blocks.0.hat_attn.qkv.weight", 0.02, 0.01, 6},
      {"faster_vit_0", "patch_embed.conv_down.0.weight", 0.1111, 0.05, 1.9},
      {"maxvit_tiny", "stem.conv1.weight", 0.058926, 0.06, 6},
      {"maxvit_tiny", "stages.0.blocks.0.conv.conv2_kxk.weight", 0.4714, 0.05, 6},
      {"maxvit_tiny", "stages.0.blocks.0.attn_block.attn.qkv.weight", 0.088388, 0.02, 1.8},
      {"maxvit_tiny", "stages.0.blocks.0.attn_block.mlp.fc1.bias", 1e-6, 0.2, 5},
      {"maxvit_tiny", "head.fc.weight", 0.025516, 0.03, 1.8},
      {"edgenext_x_small", "stages.3.blocks.2.xca.qkv.weight", 0.0176, 0.02, 2.33},
      {"edgenext_x_small", "stem.0.weight", 0.0176, 0.06, 2.4},
      {"vgg11", "features.0.weight", 0.058926, 0.06, 6}, {"vgg11", "head.fc.weight", 0.01, 0.02, 6},
  };
  for (const Expected& row : rows) {
    const Statistics found = statistics_of(initial(row.model, row.parameter));
    EXPECT_NEAR(found.deviation / row.deviation, 1, row.tolerance) << row.model << " " << row.parameter;
    EXPECT_LT(found.largest / found.deviation, row.largest) << row.model << " " << row.parameter;
    EXPECT_LT(std::abs(found.mean), row.deviation) << row.model << " " << row.parameter;
  }
}

TEST(Initialise, ConstantsAreTimms) {
  struct Constant {
    const char* model;
    const char* parameter;
    float value;
  };
  const Constant rows[] = {
      {"resnet18", "bn1.weight", 1}, {"resnet18", "bn1.bias", 0}, {"resnet18", "layer1.0.bn1.weight", 1},
      {"resnet18", "layer1.0.bn2.weight", 0}, {"resnet18", "layer2.0.downsample.1.weight", 1},
      {"resnet50", "layer1.0.bn2.weight", 1}, {"resnet50", "layer1.0.bn3.weight", 0},
      {"mobilenetv2_050", "blocks.1.0.bn2.weight", 1}, {"mobilenetv2_050", "classifier.bias", 0},
      {"vit_tiny", "blocks.0.mlp.fc1.bias", 0}, {"vit_tiny", "norm.weight", 1}, {"vit_tiny", "head.bias", 0},
      {"convnext_tiny", "stages.0.blocks.0.gamma", 1e-6F}, {"convnext_tiny", "head.fc.bias", 0},
      {"mobilevitv2_050", "stages.1.0.conv3_1x1.bn.weight", 1}, {"mobilevitv2_050", "stages.1.1.conv3_1x1.bn.weight", 0},
      {"fastvit_t8", "stages.0.blocks.0.layer_scale.gamma", 1e-5F},
      {"swin_tiny", "layers.0.blocks.0.attn.qkv.bias", 0}, {"faster_vit_3", "levels.2.blocks.0.gamma1", 1e-5F},
      {"maxvit_tiny", "stem.conv1.bias", 0}, {"maxvit_tiny", "stages.0.blocks.0.attn_grid.attn.qkv.bias", 0},
      {"edgenext_x_small", "stages.1.blocks.2.gamma_xca", 1e-6F}, {"edgenext_x_small", "head.fc.bias", 0},
      {"edgenext_x_small", "stages.1.blocks.2.xca.temperature", 1},
      {"efficientformer_l1", "stages.3.blocks.4.token_mixer.attention_biases", 0},
      {"mlpmixer_b16", "head.weight", 0}, {"vgg11", "features.0.bias", 0},
  };
  for (const Constant& row : rows)
    for (const float value : initial(row.model, row.parameter))
      ASSERT_EQ(value, row.value) << row.model << " " << row.parameter;
}

TEST(Initialise, DependsOnTheSeedAndTheNameAlone) {
  EXPECT_EQ(initial("resnet18", "conv1.weight", 3), initial("resnet18", "conv1.weight", 3));
  EXPECT_NE(initial("resnet18", "conv1.weight", 3), initial("resnet18", "conv1.weight", 4));
  EXPECT_NE(initial("resnet18", "layer1.0.conv1.weight"), initial("resnet18", "layer1.0.conv2.weight"));
}

}  // namespace
}  // namespace bramble::models
