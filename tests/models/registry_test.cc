#include "models/registry.h"

#include <gtest/gtest.h>

#include <set>

namespace bramble::models {
namespace {

TEST(Registry, TheBenchmarkIsThe59ModelsOfThePublishedTable) {
  EXPECT_EQ(benchmark_models().size(), 59U);
  EXPECT_EQ(benchmark_models().front().name, "resnet18");
  EXPECT_EQ(benchmark_models().back().name, "vgg16");
  for (const ModelInfo& info : benchmark_models()) {
    EXPECT_TRUE(info.in_benchmark) << info.name;
    EXPECT_FALSE(info.timm.empty()) << info.name;
  }
  EXPECT_FALSE(find_model("resnet9_025").in_benchmark);
}

TEST(Registry, EachNameFindsItsModel) {
  std::set<std::string> names;
  for (const ModelInfo& info : all_models()) {
    EXPECT_EQ(&find_model(info.name), &info);
    EXPECT_TRUE(names.insert(info.name).second) << info.name << " is there twice";
  }
  EXPECT_GT(names.size(), benchmark_models().size());
}

TEST(Registry, AnUnknownNameGetsTheNearest) {
  try {
    find_model("resnet9_25");
    FAIL();
  } catch (const UnknownModel& error) {
    EXPECT_NE(std::string(error.what()).find("the nearest is 'resnet9_025'"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace bramble::models
