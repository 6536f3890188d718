#include "engine/model_file.h"

#include <gtest/gtest.h>

#include "engine/data/file.h"
#include "models/initialise.h"
#include "tests/support/files.h"

namespace bramble::engine {
namespace {

constexpr const char* kModel = "mobilenetv2_050";

graph::Model build(std::int64_t classes, bool training = true) {
  return models::build_model(models::find_model(kModel),
                             {.batch = 2, .size = 32, .classes = classes, .training = training});
}

Trainer initialised(std::int64_t classes, std::uint64_t seed) {
  Trainer trainer(build(classes), {.threads = 1});
  for (const std::string& name : trainer.parameter_names())
    trainer.set_value(name, models::initial_parameter(models::find_model(kModel), trainer.program().graph(), name, seed));
  return trainer;
}

std::string load_error(const std::filesystem::path& path, std::int64_t classes) {
  Trainer trainer(build(classes), {.threads = 1});
  try {
    load_model(SafetensorsFile(path), values_of(trainer), {});
  } catch (const FileError& error) {
    return error.what();
  }
  return "";
}

TEST(ModelFile, AModelSurvivesTheWayThereAndBack) {
  const test::TemporaryFolder folder;
  Trainer written = initialised(7, 1);
  written.set_steps(12);
  write_safetensors(folder / "m.safetensors", model_tensors(written), {});
  const SafetensorsFile file(folder / "m.safetensors");
  Trainer read(build(7), {.threads = 1});
  const LoadReport report = load_model(file, values_of(read), {});
  EXPECT_TRUE(report.initialised.empty());
  EXPECT_TRUE(report.unused.empty());
  for (const std::string& name : written.parameter_names()) EXPECT_EQ(read.value(name), written.value(name)) << name;
  for (const std::string& name : written.buffer_names()) EXPECT_EQ(read.value(name), written.value(name)) << name;
  EXPECT_EQ(file.integers(*file.find("bn1.num_batches_tracked")), std::vector<std::int64_t>{12});
  EXPECT_EQ(file.find("conv_stem.weight")->shape, (std::vector<std::int64_t>{16, 3, 3, 3}));

  Evaluator evaluator(build(7, false), 1);
  EXPECT_NO_THROW(load_model(file, values_of(evaluator), {}));
}

TEST(ModelFile, AHeadForOtherClassesIsInitialisedAndNamed) {
  const test::TemporaryFolder folder;
  const Trainer written = initialised(7, 1);
  write_safetensors(folder / "m.safetensors", model_tensors(written), {});
  const std::vector<std::string> head = {"classifier.weight", "classifier.bias"};
  Trainer read(build(4), {.threads = 1});
  const auto ones = [&](const std::string& name) {
    return std::vector<float>(static_cast<std::size_t>(graph::element_count(read.shape_of(name))), 1.0F);
  };
  const LoadReport report =
      load_model(SafetensorsFile(folder / "m.safetensors"), values_of(read), {.head_keys = head, .initial = ones});
  EXPECT_EQ(report.initialised, head);
  EXPECT_EQ(read.value("classifier.bias"), std::vector<float>(4, 1.0F));
  EXPECT_EQ(read.value("conv_head.weight"), written.value("conv_head.weight"));
}

TEST(ModelFile, WhatDoesNotFitIsNamed) {
  const test::TemporaryFolder folder;
  const std::filesystem::path path = folder / "m.safetensors";
  const Trainer written = initialised(7, 1);
  std::vector<TensorToWrite> tensors = model_tensors(written);
  write_safetensors(path, tensors, {});
  EXPECT_EQ(load_error(path, 4),
            path.string() + ": tensor 'classifier.weight' is [7, 1280], but the model's is [4, 1280]");
  tensors.erase(tensors.begin());
  write_safetensors(path, tensors, {});
  EXPECT_EQ(load_error(path, 7), path.string() + ": has no tensor 'conv_stem.weight', which the model needs");
}

TEST(ModelFile, TheOptimisersStateSurvivesTheWayThereAndBack) {
  const test::TemporaryFolder folder;
  const TrainerOptions options{.optimizer = {.kind = graph::OptimizerKind::adamw}, .average_decay = 0.9F, .threads = 1};
  Trainer written(build(7), options);
  for (const std::string& name : written.state_names()) {
    std::vector<float> values = written.value(name);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    written.set_value(name, values);
  }
  write_safetensors(folder / "t.safetensors", state_tensors(written), {});
  Trainer read(build(7), options);
  load_state(SafetensorsFile(folder / "t.safetensors"), read);
  EXPECT_FALSE(read.state_names().empty());
  for (const std::string& name : written.state_names()) EXPECT_EQ(read.value(name), written.value(name)) << name;

  Trainer other(build(7), {.optimizer = {.momentum = 0.9F}, .threads = 1});
  EXPECT_THROW(load_state(SafetensorsFile(folder / "t.safetensors"), other), FileError);
}

TEST(ModelFile, TensorsBeyondTheModelAreListed) {
  const test::TemporaryFolder folder;
  Trainer trainer = initialised(7, 1);
  std::vector<TensorToWrite> tensors = model_tensors(trainer);
  tensors.push_back(float_tensor("head_dist.weight", {1}, [] { return std::vector<float>{1}; }));
  write_safetensors(folder / "m.safetensors", tensors, {});
  const LoadReport report = load_model(SafetensorsFile(folder / "m.safetensors"), values_of(trainer), {});
  EXPECT_EQ(report.unused, std::vector<std::string>{"head_dist.weight"});
}

}  // namespace
}  // namespace bramble::engine
