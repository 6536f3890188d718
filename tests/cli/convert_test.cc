// `bramble convert` as a user runs it, and what it takes for the model in other programs' files.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/checkpoint/float_formats.h"
#include "engine/checkpoint/safetensors.h"
#include "engine/checkpoint/safetensors_writer.h"
#include "models/derived_buffers.h"
#include "tests/support/files.h"
#include "tests/support/program.h"
#include "tools/convert/select.h"

namespace bramble {
namespace {

namespace fs = std::filesystem;
using convert::select_model;
using convert::Weights;

std::vector<std::string> selected(const std::vector<std::string>& names, Weights which) {
  std::vector<std::string> found;
  for (const auto& one : select_model(names, which)) found.push_back(one.stored + "=" + one.name);
  return found;
}

TEST(SelectModel, WrappersAreTakenOffAndTheRestIsNotTheModel) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(selected({"a.w", "b.w"}, Weights::plain), (Names{"a.w=a.w", "b.w=b.w"}));
  EXPECT_EQ(selected({"module.a.w"}, Weights::plain), (Names{"module.a.w=a.w"}));
  EXPECT_EQ(selected({"state_dict.model._orig_mod.a.w", "optimizer.0"}, Weights::plain),
            (Names{"state_dict.model._orig_mod.a.w=a.w"}));
  EXPECT_EQ(selected({"state_dict.a", "state_dict_ema.module.a"}, Weights::plain), (Names{"state_dict.a=a"}));
  EXPECT_EQ(selected({"state_dict.a", "state_dict_ema.module.a"}, Weights::averaged),
            (Names{"state_dict_ema.module.a=a"}));
  EXPECT_EQ(selected({"state_dict.a"}, Weights::averaged), Names{});
}

test::Outcome bramble(const std::string& arguments) { return test::run_shell(std::string(BRAMBLE) + " " + arguments); }

test::Outcome train(const fs::path& out, const std::string& more) {
  return bramble("train --model mobilenetv2_050 --size 32 --batch 4 --val-split 0 --data " +
                 test::source_file("photos").string() + " --out " + out.string() + " " + more);
}

/// The stored tensors' bytes, floats rounded to what `dtype` holds.
std::map<std::string, std::vector<std::byte>> contents(const fs::path& path, const std::string& dtype) {
  const engine::SafetensorsFile file(path);
  std::map<std::string, std::vector<std::byte>> found;
  for (const engine::StoredTensor& tensor : file.tensors()) {
    if (tensor.dtype == "I64")
      found[tensor.name] = {tensor.bytes.begin(), tensor.bytes.end()};
    else
      found[tensor.name] = engine::from_floats(dtype, file.floats(tensor));
  }
  return found;
}

class Convert : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder = new test::TemporaryFolder;
    const test::Outcome outcome = train(*folder / "run", "--steps 2 --ema 0.5 --save-every 1");
    if (outcome.code != 0) throw std::runtime_error(outcome.output);
  }
  static void TearDownTestSuite() { delete folder; }
  static fs::path trained() { return *folder / "run" / "model.safetensors"; }
  static fs::path checkpoint() { return *folder / "run" / "checkpoints" / "step-00000002"; }
  /// Writes `trained()` anew: names through `rename` (which may leave one out), floats as `dtype`, no metadata.
  static fs::path disguised(const std::string& name, const std::string& dtype,
                            const std::function<std::optional<std::string>(const std::string&)>& rename) {
    const engine::SafetensorsFile file(trained());
    std::vector<engine::TensorToWrite> tensors;
    for (const engine::StoredTensor& tensor : file.tensors()) {
      const auto given = rename(tensor.name);
      if (!given) continue;
      const bool whole = tensor.dtype == "I64";
      tensors.push_back({*given, whole ? "I64" : dtype, tensor.shape, [&file, &tensor, dtype, whole] {
                           if (whole) return std::vector(tensor.bytes.begin(), tensor.bytes.end());
                           const std::vector<float> values = file.floats(tensor);
                           if (dtype != "F64") return engine::from_floats(dtype, values);
                           const std::vector<double> wide(values.begin(), values.end());
                           const auto bytes = std::as_bytes(std::span(wide));
                           return std::vector(bytes.begin(), bytes.end());
                         }});
    }
    engine::write_safetensors(*folder / name, tensors, {});
    return *folder / name;
  }
  static fs::path out() { return *folder / "out.safetensors"; }
  static test::Outcome convert(const fs::path& input, const std::string& more) {
    fs::remove(out());
    return bramble("convert " + input.string() + " " + out().string() + " " + more);
  }
  static void expect_refused(const test::Outcome& outcome, int code, const std::string& message) {
    EXPECT_EQ(outcome.code, code) << outcome.output;
    EXPECT_EQ(outcome.lines(), 1U) << outcome.output;
    EXPECT_NE(outcome.output.find(message), std::string::npos) << outcome.output << "should say: " << message;
    EXPECT_FALSE(fs::exists(out()));
  }

  static test::TemporaryFolder* folder;
};
test::TemporaryFolder* Convert::folder = nullptr;

TEST_F(Convert, EveryFloatTypeAndWrapperComesBackAsTheSameModel) {
  for (const char* dtype : {"F32", "F64", "F16", "BF16"}) {
    const fs::path input = disguised("in.safetensors", dtype, [](const std::string& name) { return "module." + name; });
    const test::Outcome outcome = convert(input, "--model mobilenetv2_050 --size 32");
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    const std::string precision = dtype[0] == 'F' && dtype[1] != '1' ? "F32" : dtype;
    EXPECT_EQ(contents(out(), precision), contents(trained(), precision)) << dtype;
    const engine::SafetensorsFile file(out());
    for (const engine::StoredTensor& tensor : file.tensors())
      EXPECT_TRUE(tensor.dtype == "F32" || tensor.dtype == "I64") << tensor.name;
  }
  ASSERT_EQ(convert(trained(), "--dtype bfloat16").code, 0);
  EXPECT_EQ(engine::SafetensorsFile(out()).find("classifier.weight")->dtype, "BF16");
  EXPECT_EQ(contents(out(), "BF16"), contents(trained(), "BF16"));
}

TEST_F(Convert, ACheckpointGivesItsPlainWeightsOrItsAverages) {
  ASSERT_EQ(convert(checkpoint(), "--weights ema").code, 0);
  EXPECT_EQ(contents(out(), "F32"), contents(trained(), "F32")) << "--ema's model is the averages";
  ASSERT_EQ(convert(checkpoint(), "").code, 0);
  EXPECT_EQ(contents(out(), "F32"), contents(checkpoint() / "model.safetensors", "F32"));
  EXPECT_NE(contents(out(), "F32"), contents(trained(), "F32"));
  expect_refused(convert(trained(), "--weights ema"), 1, "has no moving averages");
}

TEST_F(Convert, ClassNamesMakeItAModelThatPredicts) {
  const fs::path input = disguised("in.safetensors", "F32", [](const std::string& name) { return name; });
  const std::string picture = test::source_file("photos/bird/n01860187_black_swan.jpg").string();
  test::write_whole(*folder / "names.txt", "crow\nfox\r\nant\ngecko\n");
  const std::string names = " --class-names " + (*folder / "names.txt").string();
  ASSERT_EQ(convert(input, "--model mobilenetv2_050 --size 32").code, 0);
  const test::Outcome unnamed = bramble("predict " + out().string() + " " + picture);
  EXPECT_EQ(unnamed.code, 1);
  EXPECT_NE(unnamed.output.find("--class-names"), std::string::npos) << unnamed.output;
  ASSERT_EQ(convert(input, "--model mobilenetv2_050 --size 32" + names).code, 0);
  const test::Outcome named = bramble("predict --json " + out().string() + " " + picture);
  const test::Outcome original = bramble("predict --json " + trained().string() + " " + picture);
  EXPECT_NE(named.output.find(R"(["crow","fox","ant","gecko"])"), std::string::npos) << named.output;
  EXPECT_EQ(named.output.substr(0, named.output.find("classes")),
            original.output.substr(0, original.output.find("classes")));
  test::write_whole(*folder / "names.txt", "crow\nfox\n");
  expect_refused(convert(input, "--model mobilenetv2_050" + names), 1, "has 4 classes, but 2 are named");
  test::write_whole(*folder / "names.txt", "crow\nfox\ncrow\nant\n");
  expect_refused(convert(input, "--model mobilenetv2_050" + names), 1, "twice");
  expect_refused(convert(input, names), 2, "--model");
}

TEST_F(Convert, TheHeadIsDroppedAndGrowsAnew) {
  ASSERT_EQ(convert(trained(), "--drop-head").code, 0);
  const engine::SafetensorsFile file(out());
  EXPECT_EQ(file.find("classifier.weight"), nullptr);
  EXPECT_EQ(file.find("classifier.bias"), nullptr);
  EXPECT_NE(file.find("conv_head.weight"), nullptr);
  const test::Outcome outcome = train(*folder / "again", "--steps 1 --init " + out().string());
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("classifier.weight, classifier.bias"), std::string::npos) << outcome.output;
}

TEST_F(Convert, WhatTheModelLacksOrHasBesidesIsNamed) {
  const fs::path input = disguised("in.safetensors", "F32", [](const std::string& name) -> std::optional<std::string> {
    return name == "bn1.weight" ? "bn1.gain" : name;
  });
  expect_refused(convert(input, "--model mobilenetv2_050"), 1,
                 "has no tensor 'bn1.weight', which mobilenetv2_050 needs");
  expect_refused(convert(trained(), "--model resnet18"), 1, "which resnet18 needs");
  expect_refused(convert(trained(), "--model mobilenetv2_100"), 1, "but mobilenetv2_100's is [32, 3, 3, 3]");
  expect_refused(convert(*folder / "nothing", ""), 1, "No such file");
  expect_refused(bramble("convert " + trained().string() + " /nowhere/out.safetensors"), 1, "/nowhere");

  const fs::path more = disguised("more.safetensors", "F32", [](const std::string& name) -> std::optional<std::string> {
    return name == "bn1.num_batches_tracked" ? "bn1.momentum" : name;
  });
  const test::Outcome outcome = convert(more, "--model mobilenetv2_050 --size 32");
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("not of mobilenetv2_050: bn1.momentum\n"), std::string::npos) << outcome.output;
  const engine::SafetensorsFile file(out());
  EXPECT_EQ(file.find("bn1.momentum"), nullptr);
  ASSERT_NE(file.find("bn1.num_batches_tracked"), nullptr) << "PyTorch asks for it";
  EXPECT_EQ(file.integers(*file.find("bn1.num_batches_tracked")), std::vector<std::int64_t>{0});
}

TEST(DerivedBuffers, EfficientFormersIndexIsTheDistanceOfRowsAndColumns) {
  const auto found = models::derived_buffers(models::find_model("efficientformer_l1"), {.batch = 1});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, "stages.3.blocks.4.token_mixer.attention_bias_idxs");
  EXPECT_EQ(found[0].shape, (graph::Shape{49, 49}));
  EXPECT_EQ(found[0].integers[0], 0);
  EXPECT_EQ(found[0].integers[8 * 49 + 6], 12);  // (1, 1) and (0, 6): 1 row of 7, 5 columns
}

TEST(DerivedBuffers, FasterVitsTablesLieAsPyTorchHasThem) {
  const auto found = models::derived_buffers(models::find_model("faster_vit_0"), {.batch = 1});
  std::map<std::string, models::DerivedBuffer> by_name;
  for (const auto& one : found) by_name[one.name] = one;
  const auto& index = by_name.at("levels.2.blocks.0.attn.pos_emb_funct.relative_position_index");
  EXPECT_EQ(index.shape, (graph::Shape{49, 49}));
  EXPECT_EQ(index.integers[0], 6 * 13 + 6);
  EXPECT_EQ(index.integers[1], 6 * 13 + 5) << "query 0, key 1: one column to the left";
  const auto& table = by_name.at("levels.2.blocks.0.attn.pos_emb_funct.relative_coords_table");
  EXPECT_EQ(table.shape, (graph::Shape{1, 13, 13, 2}));
  EXPECT_FLOAT_EQ(table.floats[0], -std::log2(9.0F) / 3);
  EXPECT_EQ(by_name.at("levels.2.blocks.0.attn.pos_emb_funct.relative_bias").shape, (graph::Shape{1, 8, 53, 53}));
  EXPECT_EQ(by_name.at("levels.2.blocks.0.pos_embed.relative_bias").shape, (graph::Shape{1, 49, 256}));
}

TEST(DerivedBuffers, FasterVitsTokenizerHasASecondName) {
  EXPECT_EQ(models::second_name("levels.2.global_tokenizer.pos_embed.bias"),
            "levels.2.global_tokenizer.to_global_feature.pos.bias");
  EXPECT_EQ(models::second_name("levels.2.blocks.0.pos_embed.bias"), std::nullopt);
}

/// A buffer's name to its shape, as the golden file lists what state_dict has of these tables.
TEST(DerivedBuffers, AreAllThatPyTorchHas) {
  for (const std::string name : {"efficientformer_l3", "faster_vit_1", "resnet18"}) {
    const auto golden = nlohmann::json::parse(test::read_whole(test::source_file("golden/" + name + ".json")));
    std::map<std::string, graph::Shape> expected, found;
    for (const auto& [buffer, shape] : golden["buffer_shapes"].items())
      if (buffer.find(".running_") == std::string::npos && !buffer.ends_with("num_batches_tracked") )
        expected[buffer] = shape.get<graph::Shape>();
    for (const auto& one : models::derived_buffers(models::find_model(name), {.batch = 1})) found[one.name] = one.shape;
    EXPECT_EQ(found, expected) << name;
  }
}

}  // namespace
}  // namespace bramble
