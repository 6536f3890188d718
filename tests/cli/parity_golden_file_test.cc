#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "engine/data/file.h"
#include "models/registry.h"
#include "tests/support/files.h"
#include "tools/parity/golden_file.h"

namespace bramble::parity {
namespace {

using Json = nlohmann::ordered_json;

// What reading says of resnet18's golden after a change; without its path.
std::string error_after(const std::function<void(Json&)>& change) {
  Json json = Json::parse(test::read_whole(test::source_file("golden/resnet18.json")));
  change(json);
  const test::TemporaryFolder folder;
  const std::filesystem::path path = folder / "x.json";
  test::write_whole(path, json.dump());
  try {
    read_golden(path);
  } catch (const engine::FileError& error) {
    const std::string message = error.what();
    EXPECT_TRUE(message.starts_with(path.string() + ": ")) << message;
    return message.substr(path.string().size() + 2);
  }
  return "";
}

TEST(GoldenFile, EachModelOfTheBenchmarkHasOneAndItIsComplete) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test::source_file("golden"))) {
    if (entry.path().extension() != ".json") continue;
    const Golden golden = read_golden(entry.path());
    EXPECT_EQ(golden.config.model, entry.path().stem());
    EXPECT_EQ(golden.values.grads.size(), golden.values.shapes.size());
    ++files;
  }
  EXPECT_EQ(files, models::benchmark_models().size());
}

TEST(GoldenFile, OrderIsTheStateDictsAndNotTheAlphabets) {
  const Golden golden = read_golden(test::source_file("golden/resnet18.json"));
  EXPECT_EQ(golden.values.shapes.front().first, "conv1.weight");
  EXPECT_EQ(golden.values.shapes[1].first, "bn1.weight");
  EXPECT_EQ(golden.values.shapes.back().first, "fc.bias");
}

TEST(GoldenFile, EveryMissingKeyIsNamed) {
  const Json whole = Json::parse(test::read_whole(test::source_file("golden/resnet18.json")));
  for (const auto& [key, value] : whole.items()) {
    EXPECT_EQ(error_after([&, name = key](Json& json) { json.erase(name); }),
              "incomplete golden: \"" + key + "\" is missing");
  }
}

TEST(GoldenFile, MissingTensorsAreNamed) {
  EXPECT_EQ(error_after([](Json& json) { json["grads"].erase("fc.bias"); }),
            "incomplete golden: \"grads.fc.bias\" is missing");
  EXPECT_EQ(error_after([](Json& json) { json["buffers"].erase("bn1.running_var"); }),
            "incomplete golden: \"buffers.bn1.running_var\" is missing");
  EXPECT_EQ(error_after([](Json& json) { json["params_after"].erase("fc.weight"); }),
            "incomplete golden: \"params_after.fc.weight\" is missing");
  EXPECT_EQ(error_after([](Json& json) { json["fp32_noise"]["grads"].erase("conv1.weight"); }),
            "incomplete golden: \"fp32_noise.grads.conv1.weight\" is missing");
}

TEST(GoldenFile, WrongKindsOfValueAreNamed) {
  EXPECT_EQ(error_after([](Json& json) { json["batch"] = 0; }), "\"batch\" is not an integer from 1 to 65536");
  EXPECT_EQ(error_after([](Json& json) { json["seed"] = -1; }), "\"seed\" is not a seed");
  EXPECT_EQ(error_after([](Json& json) { json["model"] = 3; }), "\"model\" is not a string");
  EXPECT_EQ(error_after([](Json& json) { json["losses"].push_back(1.0); }), "\"losses\" has 5 values instead of 4");
  EXPECT_EQ(error_after([](Json& json) {
              json["grads"]["fc.bias"] = {1, 2};
            }),
            "\"grads.fc.bias\" has 2 values instead of 3");
  EXPECT_EQ(error_after([](Json& json) { json["grads"] = 7; }), "\"grads\" is not an object");
  EXPECT_EQ(error_after([](Json& json) { json["shapes"]["fc.bias"] = "1000"; }), "\"shapes.fc.bias\" is not a list");
  EXPECT_EQ(error_after([](Json& json) { json["train_output_kind"] = "tuple"; }),
            "\"train_output_kind\" is not supported: only \"tensor\" is");
}

TEST(GoldenFile, WhatIsDumpedCanBeRead) {
  const Golden golden = read_golden(test::source_file("golden/vit_tiny.json"));
  const test::TemporaryFolder folder;
  test::write_whole(folder / "x.json", to_json(golden));
  const Golden again = read_golden(folder / "x.json");
  EXPECT_EQ(to_json(again), to_json(golden));
  EXPECT_EQ(again.values.grads, golden.values.grads);
  EXPECT_EQ(again.config.timm, golden.config.timm);
}

}  // namespace
}  // namespace bramble::parity
