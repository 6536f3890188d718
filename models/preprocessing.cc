#include "models/preprocessing.h"

#include <map>

#include "models/registry.h"

namespace bramble::models {
namespace {

constexpr std::array<double, 3> kImageNetMean = {0.485, 0.456, 0.406};
constexpr std::array<double, 3> kImageNetDeviation = {0.229, 0.224, 0.225};
constexpr std::array<double, 3> kHalf = {0.5, 0.5, 0.5};
constexpr std::array<double, 3> kZero = {0, 0, 0};
constexpr std::array<double, 3> kOne = {1, 1, 1};

constexpr Preprocessing image_net(double crop_pct, std::string_view interpolation = "bicubic") {
  return {kImageNetMean, kImageNetDeviation, crop_pct, interpolation};
}
constexpr Preprocessing halves(double crop_pct) { return {kHalf, kHalf, crop_pct, "bicubic"}; }
/// Of CIFAR-10's training pictures, which are never resampled at their own size.
constexpr Preprocessing kCifar = {{0.4914, 0.4822, 0.4465}, {0.2470, 0.2435, 0.2616}, 1, "bicubic"};
constexpr Preprocessing kUnchanged = {kZero, kOne, 0.888, "bicubic"};

/// Most families agree within themselves.
const std::map<std::string_view, Preprocessing>& of_families() {
  static const std::map<std::string_view, Preprocessing> table = {
      {"ResNet", image_net(0.95)},       {"MobileNetV2", image_net(0.875)},     {"MobileNetV3", image_net(0.875)},
      {"ViT", halves(0.9)},              {"EfficientViT", image_net(0.95)},     {"MobileViTv2", kUnchanged},
      {"ConvNeXt", image_net(0.875)},    {"DeiT", image_net(0.9)},              {"EdgeNeXt", image_net(0.95)},
      {"EfficientNet", image_net(1)},    {"EfficientFormer", image_net(0.95)},  {"FastViT", image_net(0.9)},
      {"GhostNetV2", image_net(0.875)},  {"InceptionNeXt", image_net(0.875)},   {"FasterViT", image_net(1)},
      {"MaxViT", image_net(0.95)},       {"MLP-Mixer", halves(0.875)},          {"MnasNet", image_net(0.875)},
      {"Swin", image_net(0.9)},          {"VGG", image_net(0.875, "bilinear")},
      {"ResNet-9", kCifar},
  };
  return table;
}

const std::map<std::string_view, Preprocessing>& of_models() {
  static const std::map<std::string_view, Preprocessing> table = {
      {"mobilenetv3_large_075", image_net(0.875, "bilinear")},
      {"edgenext_x_small", image_net(0.9)},
      {"efficientnet_b0", image_net(0.875)},
      {"inception_next_base", image_net(0.95)},
      {"faster_vit_0", image_net(0.875)},
  };
  return table;
}

}  // namespace

Preprocessing preprocessing_of(std::string_view model) {
  const ModelInfo& info = find_model(model);
  const auto own = of_models().find(info.name);
  return own != of_models().end() ? own->second : of_families().at(info.family);
}

}  // namespace bramble::models
