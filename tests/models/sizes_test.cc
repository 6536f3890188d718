// Which sizes of images the models take, and what they say of the others.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "models/registry.h"

namespace bramble::models {
namespace {

/// "" if the model takes images of that size, else what it says.
std::string refusal(const ModelInfo& info, std::int64_t size) {
  try {
    build_model(info, {.batch = 2, .size = size, .classes = 10});
    return "";
  } catch (const graph::GraphError& error) {
    return error.what();
  }
}

/// Their tokens' positions, or windows, belong to a size.
const std::set<std::string> kOfOneSize = {"ViT", "DeiT", "Swin", "FasterViT", "MaxViT", "MLP-Mixer", "EfficientFormer"};

TEST(Sizes, ConvolutionalNetworksTakeOddOnes) {
  int models = 0;
  for (const ModelInfo& info : all_models()) {
    if (kOfOneSize.contains(info.family)) continue;
    ++models;
    for (const std::int64_t size : {160, 192, 200, 256}) EXPECT_EQ(refusal(info, size), "") << size;
  }
  EXPECT_GE(models, 39);
}

TEST(Sizes, ARefusalNamesTheModelTheSizeAndWhatWouldDo) {
  for (const ModelInfo& info : all_models()) {
    EXPECT_EQ(refusal(info, 224), "") << info.name;
    for (const std::int64_t size : {1, 33, 100, 160, 192, 300}) {
      const std::string text = refusal(info, size);
      if (text.empty()) continue;
      EXPECT_TRUE(text.starts_with(info.name + ": ")) << text;
      EXPECT_NE(text.find("use "), std::string::npos) << size << ": " << text;
      EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    }
  }
}

TEST(Sizes, WindowsAndPositionsBelongToSome) {
  EXPECT_EQ(refusal(find_model("swin_tiny"), 160),
            "swin_tiny: images of 160x160 do not divide into windows; use a --size that is a multiple of 224");
  EXPECT_EQ(refusal(find_model("swin_tiny"), 448), "");
  EXPECT_EQ(refusal(find_model("maxvit_tiny"), 160), "");
  EXPECT_NE(refusal(find_model("maxvit_tiny"), 161).find("multiple of 32"), std::string::npos);
  for (const std::int64_t size : {192, 225})
    EXPECT_NE(refusal(find_model("efficientformer_l1"), size).find("use images of 193 to 224 pixels"),
              std::string::npos);
  EXPECT_EQ(refusal(find_model("efficientformer_l1"), 193), "");
  for (const char* model : {"vit_tiny", "deit_tiny", "mlpmixer_b16", "faster_vit_0"})
    EXPECT_NE(refusal(find_model(model), 192).find("use --size 224"), std::string::npos) << model;
}

}  // namespace
}  // namespace bramble::models
