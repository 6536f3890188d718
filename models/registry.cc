#include "models/registry.h"

#include <algorithm>
#include <numeric>

#include "models/convnext.h"
#include "models/edgenext.h"
#include "models/efficientformer.h"
#include "models/efficientnet.h"
#include "models/efficientvit.h"
#include "models/fastervit.h"
#include "models/fastvit.h"
#include "models/ghostnetv2.h"
#include "models/inception_next.h"
#include "models/maxvit.h"
#include "models/mlpmixer.h"
#include "models/mnasnet.h"
#include "models/mobilenetv2.h"
#include "models/mobilenetv3.h"
#include "models/mobilevitv2.h"
#include "models/resnet.h"
#include "models/resnet9.h"
#include "models/swin.h"
#include "models/vgg.h"
#include "models/vit.h"

namespace bramble::models {
namespace {

using Keys = std::vector<std::string>;

const Keys kFc = {"fc.weight", "fc.bias"};
const Keys kClassifier = {"classifier.weight", "classifier.bias"};
const Keys kHeadAndClassifier = {"conv_head.weight", "conv_head.bias", "classifier.weight", "classifier.bias"};
const Keys kHeadNormAndFc = {"head.norm.weight", "head.norm.bias", "head.fc.weight", "head.fc.bias"};
const Keys kNormAndTwoHeads = {"norm.weight", "norm.bias",        "head.weight",
                               "head.bias",   "head_dist.weight", "head_dist.bias"};
const Keys kHeadMlp = {"head.fc1.weight",  "head.fc1.bias",   "head.norm.weight",
                       "head.norm.bias",   "head.fc2.weight", "head.fc2.bias"};
const Keys kHeadFc = {"head.fc.weight", "head.fc.bias"};
const Keys kHead = {"head.weight", "head.bias"};
const Keys kNormAndHeadFc = {"norm.weight", "norm.bias", "head.fc.weight", "head.fc.bias"};
const Keys kMaxVitHead = {"head.norm.weight",          "head.norm.bias", "head.pre_logits.fc.weight",
                          "head.pre_logits.fc.bias", "head.fc.weight", "head.fc.bias"};
const Keys kNormAndHead = {"norm.weight", "norm.bias", "head.weight", "head.bias"};
const Keys kEfficientVitHead = {"head.in_conv.conv.weight",  "head.in_conv.norm.weight",  "head.in_conv.norm.bias",
                                "head.classifier.0.weight",  "head.classifier.1.weight",  "head.classifier.1.bias",
                                "head.classifier.4.weight",  "head.classifier.4.bias"};

const std::vector<ModelInfo>& registry() {
  static const std::vector<ModelInfo> models = {
      {"resnet18", "ResNet", "resnet18", 69.76, kFc, build_resnet18},
      {"resnet34", "ResNet", "resnet34", 73.31, kFc, build_resnet34},
      {"resnet50", "ResNet", "resnet50", 78.05, kFc, build_resnet50},
      {"mobilenetv2_050", "MobileNetV2", "mobilenetv2_050.lamb_in1k", 65.95, kClassifier, build_mobilenetv2_050},
      {"mobilenetv2_100", "MobileNetV2", "mobilenetv2_100", 72.97, kClassifier, build_mobilenetv2_100},
      {"mobilenetv3_small_075", "MobileNetV3", "mobilenetv3_small_075", 65.4, kHeadAndClassifier,
       build_mobilenetv3_small_075},
      {"mobilenetv3_small_100", "MobileNetV3", "mobilenetv3_small_100", 67.4, kHeadAndClassifier,
       build_mobilenetv3_small_100},
      {"mobilenetv3_large_075", "MobileNetV3", "mobilenetv3_large_075", 73.3, kHeadAndClassifier,
       build_mobilenetv3_large_075},
      {"mobilenetv3_large_100", "MobileNetV3", "mobilenetv3_large_100", 75.2, kHeadAndClassifier,
       build_mobilenetv3_large_100},
      {"vit_tiny", "ViT", "vit_tiny_patch16_224.augreg_in21k_ft_in1k", 75.46, kHead, build_vit_tiny},
      {"vit_small", "ViT", "vit_small_patch16_224.augreg_in1k", 78.85, kHead, build_vit_small},
      {"vit_base", "ViT", "vit_base_patch16_224.augreg_in1k", 79.15, kHead, build_vit_base},
      {"efficientvit_b0", "EfficientViT", "efficientvit_b0.r224_in1k", 0, kEfficientVitHead, build_efficientvit_b0},
      {"efficientvit_b1", "EfficientViT", "efficientvit_b1.r224_in1k", 79.39, kEfficientVitHead, build_efficientvit_b1},
      {"efficientvit_b2", "EfficientViT", "efficientvit_b2.r224_in1k", 82.1, kEfficientVitHead, build_efficientvit_b2},
      {"efficientvit_b3", "EfficientViT", "efficientvit_b3.r224_in1k", 83.47, kEfficientVitHead, build_efficientvit_b3},
      {"mobilevitv2_050", "MobileViTv2", "mobilevitv2_050", 70.2, kHeadFc, build_mobilevitv2_050},
      {"mobilevitv2_100", "MobileViTv2", "mobilevitv2_100", 78.1, kHeadFc, build_mobilevitv2_100},
      {"mobilevitv2_200", "MobileViTv2", "mobilevitv2_200", 81.2, kHeadFc, build_mobilevitv2_200},
      {"convnext_tiny", "ConvNeXt", "convnext_tiny.fb_in22k_ft_in1k", 82.9, kHeadNormAndFc, build_convnext_tiny},
      {"convnext_small", "ConvNeXt", "convnext_small.fb_in22k_ft_in1k", 84.56, kHeadNormAndFc, build_convnext_small},
      {"convnext_base", "ConvNeXt", "convnext_base.fb_in22k_ft_in1k", 85.82, kHeadNormAndFc, build_convnext_base},
      {"deit_tiny", "DeiT", "deit_tiny_patch16_224", 76.6, kNormAndHead, build_vit_tiny},
      {"deit_small", "DeiT", "deit_small_patch16_224", 82.6, kNormAndHead, build_vit_small},
      {"deit_base", "DeiT", "deit_base_patch16_224", 84.2, kNormAndHead, build_vit_base},
      {"edgenext_x_small", "EdgeNeXt", "edgenext_x_small", 74.96, kHeadNormAndFc, build_edgenext_x_small},
      {"edgenext_small", "EdgeNeXt", "edgenext_small", 79.41, kHeadNormAndFc, build_edgenext_small},
      {"edgenext_base", "EdgeNeXt", "edgenext_base", 82.47, kHeadNormAndFc, build_edgenext_base},
      {"efficientnet_b0", "EfficientNet", "efficientnet_b0", 77.1, kClassifier, build_efficientnet_b0},
      {"efficientnet_b1", "EfficientNet", "efficientnet_b1", 79.1, kClassifier, build_efficientnet_b1},
      {"efficientnet_b2", "EfficientNet", "efficientnet_b2", 80.1, kClassifier, build_efficientnet_b2},
      {"efficientnet_b3", "EfficientNet", "efficientnet_b3", 81.6, kClassifier, build_efficientnet_b3},
      {"efficientformer_l1", "EfficientFormer", "efficientformer_l1", 80.5, kNormAndTwoHeads,
       build_efficientformer_l1},
      {"efficientformer_l3", "EfficientFormer", "efficientformer_l3", 82.57, kNormAndTwoHeads,
       build_efficientformer_l3},
      {"efficientformer_l7", "EfficientFormer", "efficientformer_l7", 83.37, kNormAndTwoHeads,
       build_efficientformer_l7},
      {"fastvit_t8", "FastViT", "fastvit_t8.apple_in1k", 77.2, kHeadFc, build_fastvit_t8},
      {"fastvit_t12", "FastViT", "fastvit_t12.apple_in1k", 80.3, kHeadFc, build_fastvit_t12},
      {"ghostnetv2_100", "GhostNetV2", "ghostnetv2_100", 75.17, kHeadAndClassifier, build_ghostnetv2_100},
      {"ghostnetv2_130", "GhostNetV2", "ghostnetv2_130", 76.76, kHeadAndClassifier, build_ghostnetv2_130},
      {"ghostnetv2_160", "GhostNetV2", "ghostnetv2_160", 77.83, kHeadAndClassifier, build_ghostnetv2_160},
      {"inception_next_tiny", "InceptionNeXt", "inception_next_tiny", 82.3, kHeadMlp, build_inception_next_tiny},
      {"inception_next_small", "InceptionNeXt", "inception_next_small", 83.5, kHeadMlp, build_inception_next_small},
      {"inception_next_base", "InceptionNeXt", "inception_next_base", 84, kHeadMlp, build_inception_next_base},
      {"faster_vit_0", "FasterViT", "faster_vit_0_224", 82.1, kNormAndHead, build_faster_vit_0},
      {"faster_vit_1", "FasterViT", "faster_vit_1_224", 83.2, kNormAndHead, build_faster_vit_1},
      {"faster_vit_2", "FasterViT", "faster_vit_2_224", 84.2, kNormAndHead, build_faster_vit_2},
      {"faster_vit_3", "FasterViT", "faster_vit_3_224", 84.9, kNormAndHead, build_faster_vit_3},
      {"maxvit_tiny", "MaxViT", "maxvit_tiny_tf_224", 83.4, kMaxVitHead, build_maxvit_tiny},
      {"maxvit_small", "MaxViT", "maxvit_small_tf_224", 84.43, kMaxVitHead, build_maxvit_small},
      {"maxvit_base", "MaxViT", "maxvit_base_tf_224", 84.86, kMaxVitHead, build_maxvit_base},
      {"mlpmixer_b16", "MLP-Mixer", "mixer_b16_224", 82.31, kHead, build_mlpmixer_b16},
      {"mnasnet_050", "MnasNet", "mnasnet_050", 67.73, kClassifier, build_mnasnet_050},
      {"mnasnet_075", "MnasNet", "mnasnet_075", 71.18, kClassifier, build_mnasnet_075},
      {"mnasnet_100", "MnasNet", "mnasnet_100", 73.46, kClassifier, build_mnasnet_100},
      {"swin_tiny", "Swin", "swin_tiny_patch4_window7_224", 81.38, kNormAndHeadFc, build_swin_tiny},
      {"swin_small", "Swin", "swin_small_patch4_window7_224", 83.21, kNormAndHeadFc, build_swin_small},
      {"swin_base", "Swin", "swin_base_patch4_window7_224", 83.61, kNormAndHeadFc, build_swin_base},
      {"vgg11", "VGG", "vgg11", 69.02, kHeadFc, build_vgg11},
      {"vgg16", "VGG", "vgg16", 71.59, kHeadFc, build_vgg16},
      {"resnet9_025", "ResNet-9", "", 0, kFc, build_resnet9_025, false},
  };
  return models;
}

/// Levenshtein's distance.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

std::span<const ModelInfo> all_models() { return registry(); }

std::span<const ModelInfo> benchmark_models() {
  const auto& models = registry();
  return {models.begin(), std::ranges::find(models, false, &ModelInfo::in_benchmark)};
}

const ModelInfo& find_model(std::string_view name) {
  const auto& models = registry();
  const auto found = std::find_if(models.begin(), models.end(), [&](const ModelInfo& m) { return m.name == name; });
  if (found != models.end()) return *found;
  const auto nearest = std::min_element(models.begin(), models.end(), [&](const ModelInfo& a, const ModelInfo& b) {
    return edit_distance(a.name, name) < edit_distance(b.name, name);
  });
  throw UnknownModel("unknown model '" + std::string(name) + "'; the nearest is '" + nearest->name +
                     "' (`bramble models` lists all)");
}

graph::Model build_model(const ModelInfo& info, const graph::ModelConfig& config) {
  try {
    return info.build(info, config);
  } catch (const graph::GraphError& error) {
    throw graph::GraphError(info.name + ": " + error.what());
  }
}

}  // namespace bramble::models
