// TrainerOptions::guard: a step whose loss is not finite leaves everything as it was, and says where it comes from.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "engine/golden.h"
#include "engine/trainer.h"
#include "models/registry.h"

namespace bramble::engine {
namespace {

constexpr std::int64_t kBatch = 3, kSize = 64, kClasses = 4;

Trainer make_trainer(bool guard) {
  TrainerOptions options{.accumulate = 2, .average_decay = 0.5F, .guard = guard, .threads = 2};
  options.optimizer.momentum = 0.9F;
  Trainer trainer(models::build_model(models::find_model("mobilenetv2_050"),
                                      {.batch = kBatch, .size = kSize, .classes = kClasses, .drop_rate = 0.3F}),
                  options);
  for (const std::string& name : trainer.parameter_names())
    trainer.set_value(name, golden_parameter(name, trainer.shape_of(name), 1));
  trainer.start_averages();
  trainer.set_learning_rate(0.01F);
  golden_images(kBatch, kSize, 1, trainer.images());
  golden_labels(kClasses, trainer.labels());
  return trainer;
}

std::map<std::string, std::vector<float>> everything(const Trainer& trainer) {
  std::map<std::string, std::vector<float>> found;
  for (const auto& names : {trainer.parameter_names(), trainer.buffer_names(), trainer.state_names()})
    for (const std::string& name : names) found[name] = trainer.value(name);
  return found;
}

TEST(Guard, ABadStepChangesNothingAndLaterStepsAreAsWithoutIt) {
  Trainer undisturbed = make_trainer(true), disturbed = make_trainer(true);
  const std::vector<float> images(disturbed.images().begin(), disturbed.images().end());
  for (int step = 0; step < 5; ++step) {
    ASSERT_TRUE(std::isfinite(undisturbed.step()));
    const auto before = everything(disturbed);
    std::ranges::fill(disturbed.images(), 3e38F);
    EXPECT_FALSE(std::isfinite(disturbed.step()));
    EXPECT_NE(disturbed.find_not_finite(), "");
    EXPECT_EQ(disturbed.steps(), step);
    EXPECT_EQ(everything(disturbed), before) << "before step " << step;
    std::ranges::copy(images, disturbed.images().begin());
    disturbed.step();
    EXPECT_EQ(everything(disturbed), everything(undisturbed)) << "after step " << step;
  }
}

TEST(Guard, WithoutItABadStepRunsToItsEnd) {
  Trainer trainer = make_trainer(false);
  const auto before = everything(trainer);
  std::ranges::fill(trainer.images(), 3e38F);
  EXPECT_FALSE(std::isfinite(trainer.step()));
  EXPECT_EQ(trainer.steps(), 1);
  EXPECT_NE(everything(trainer), before);
}

TEST(Guard, TheFirstLayerThatOverflowsIsNamed) {
  Trainer trainer = make_trainer(true);
  trainer.step();
  EXPECT_EQ(trainer.find_not_finite(), "");
  std::ranges::fill(trainer.images(), 3e38F);
  trainer.step();
  EXPECT_EQ(trainer.find_not_finite(), "the output of layer 'conv_stem' (conv2d)");
  golden_images(kBatch, kSize, 1, trainer.images());
  // A scale that the normalised values of this one layer overflow with.
  trainer.set_value("blocks.3.0.bn1.weight", std::vector<float>(96, 3e38F));
  trainer.set_value("blocks.3.0.bn1.bias", std::vector<float>(96, -3e38F));
  trainer.set_value("blocks.3.0.conv_dw.weight", std::vector<float>(96 * 9, 3e38F));
  trainer.step();
  EXPECT_EQ(trainer.find_not_finite().find("the output of layer 'blocks.3.0."), 0U) << trainer.find_not_finite();
}

TEST(Guard, OfSeveralBadParametersTheLastIsNamed) {
  Trainer trainer = make_trainer(true);
  EXPECT_EQ(trainer.parameter_not_finite(), "");
  for (const char* name : {"bn1.bias", "classifier.bias", "blocks.1.0.bn2.bias"}) {
    std::vector<float> values = trainer.value(name);
    values.back() = std::numeric_limits<float>::quiet_NaN();
    trainer.set_value(name, values);
  }
  EXPECT_FALSE(std::isfinite(trainer.step()));
  EXPECT_EQ(trainer.parameter_not_finite(), "classifier.bias");
  EXPECT_EQ(trainer.find_not_finite(), "parameter 'classifier.bias'");
  EXPECT_EQ(trainer.value_not_finite(), "bn1.bias");
}

TEST(Guard, AllThatPersistsIsLookedThrough) {
  const auto found_after_spoiling = [](const std::string& name, float value) {
    Trainer trainer = make_trainer(true);
    EXPECT_EQ(trainer.value_not_finite(), "");
    std::vector<float> values = trainer.value(name);
    values[values.size() / 2] = value;
    trainer.set_value(name, values);
    return trainer.value_not_finite();
  };
  const std::string state = make_trainer(true).state_names().front();
  for (const std::string& name : {std::string("conv_stem.weight"), std::string("bn1.running_var"), state}) {
    EXPECT_EQ(found_after_spoiling(name, std::numeric_limits<float>::infinity()), name);
    EXPECT_EQ(found_after_spoiling(name, -std::numeric_limits<float>::quiet_NaN()), name);
    EXPECT_EQ(found_after_spoiling(name, std::numeric_limits<float>::max()), "");
  }
}

TEST(Guard, FrozenParametersAreNotReadEachStep) {
  Trainer trainer(models::build_model(models::find_model("mobilenetv2_050"), {.batch = kBatch, .size = 32, .classes = 4}),
                  {.trainable = {"classifier.weight"}, .guard = true, .threads = 1});
  trainer.set_value("classifier.bias", std::vector<float>(4, std::numeric_limits<float>::infinity()));
  EXPECT_EQ(trainer.parameter_not_finite(), "");
  trainer.set_value("classifier.weight", std::vector<float>(4 * 1280, std::numeric_limits<float>::infinity()));
  EXPECT_EQ(trainer.parameter_not_finite(), "classifier.weight");
}

}  // namespace
}  // namespace bramble::engine
