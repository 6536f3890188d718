// What a trainer's options do to a real model's parameters.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/trainer.h"
#include "models/initialise.h"
#include "tests/support/random.h"

namespace bramble::engine {
namespace {

constexpr int kClasses = 7;
constexpr const char* kModel = "mnasnet_050";

Trainer make_trainer(TrainerOptions options, int batch = 4) {
  const models::ModelInfo& info = models::find_model(kModel);
  if (options.threads == 0) options.threads = 2;
  Trainer trainer(models::build_model(info, {.batch = batch, .size = 32, .classes = kClasses}), options);
  for (const std::string& name : trainer.parameter_names())
    trainer.set_value(name, models::initial_parameter(info, trainer.program().graph(), name, 1));
  trainer.start_averages();
  trainer.set_learning_rate(0.01F);
  return trainer;
}

void fill(Trainer& trainer, std::uint64_t seed) {
  const std::vector<float> images = test::uniform(trainer.images().size(), seed);
  std::memcpy(trainer.images().data(), images.data(), images.size() * sizeof(float));
  for (std::size_t n = 0; n < trainer.labels().size(); ++n)
    trainer.labels()[n] = static_cast<std::int32_t>((n + seed) % kClasses);
}

double norm_of(const std::vector<float>& values) {
  double squares = 0;
  for (const float value : values) squares += static_cast<double>(value) * value;
  return std::sqrt(squares);
}

std::vector<float> all_parameters(const Trainer& trainer) {
  std::vector<float> all;
  for (const std::string& name : trainer.parameter_names()) {
    const std::vector<float> values = trainer.value(name);
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

std::vector<float> difference(const std::vector<float>& a, const std::vector<float>& b) {
  std::vector<float> result(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) result[i] = a[i] - b[i];
  return result;
}

// Over several steps: BatchNorm over 16 values, and dropout, throw the loss of a single one about.
TEST(Optimizer, EveryKindLowersTheLossOfOneBatch) {
  for (const graph::OptimizerKind kind :
       {graph::OptimizerKind::sgd, graph::OptimizerKind::adamw, graph::OptimizerKind::lion}) {
    Trainer trainer = make_trainer({.optimizer = {.kind = kind, .weight_decay = 0.01F, .momentum = 0.9F}}, 16);
    trainer.set_learning_rate(kind == graph::OptimizerKind::sgd ? 5e-3F : 1e-3F);
    fill(trainer, 1);
    const float first = trainer.step();
    for (int i = 0; i < 15; ++i) trainer.step();
    float last = 0;
    for (int i = 0; i < 8; ++i) last += trainer.step() / 8;
    EXPECT_LT(last, 0.8F * first) << static_cast<int>(kind);
  }
}

TEST(Optimizer, MixedLabelsWeighTheirLosses) {
  const auto loss_of = [](std::uint64_t seed) {
    Trainer plain = make_trainer({.label_smoothing = 0.1F});
    fill(plain, 1);
    for (std::size_t n = 0; n < plain.labels().size(); ++n) plain.labels()[n] = static_cast<std::int32_t>((n + seed) % kClasses);
    return plain.step();
  };
  Trainer mixed = make_trainer({.label_smoothing = 0.1F, .mixed_labels = true});
  fill(mixed, 1);
  for (std::size_t n = 0; n < mixed.labels().size(); ++n) {
    mixed.other_labels()[n] = static_cast<std::int32_t>((n + 3) % kClasses);
    mixed.label_shares()[n] = 0.7F;
  }
  EXPECT_NEAR(mixed.step(), 0.7F * loss_of(1) + 0.3F * loss_of(3), 1e-5F);
}

TEST(Optimizer, ClippedGradientsHaveTheLimitAsTheirNorm) {
  constexpr float kLimit = 0.05F;
  Trainer trainer = make_trainer({.clip_norm = kLimit});
  const std::vector<float> before = all_parameters(trainer);
  fill(trainer, 1);
  trainer.step();
  EXPECT_NEAR(norm_of(difference(all_parameters(trainer), before)) / (0.01 * kLimit), 1, 1e-3);
}

TEST(Optimizer, ALimitThatIsNotReachedChangesNothing) {
  Trainer clipped = make_trainer({.clip_norm = 1e6F});
  Trainer plain = make_trainer({});
  for (Trainer* trainer : {&clipped, &plain}) {
    fill(*trainer, 1);
    trainer->step();
  }
  EXPECT_EQ(all_parameters(clipped), all_parameters(plain));
}

TEST(Optimizer, AccumulatedStepsUpdateOnceByTheMean) {
  Trainer accumulating = make_trainer({.optimizer = {.momentum = 0.9F}, .accumulate = 2});
  Trainer plain = make_trainer({.optimizer = {.momentum = 0.9F}});
  const std::vector<float> before = all_parameters(plain);
  for (int round = 0; round < 2; ++round) {
    // The same batch twice: its gradients' mean is the gradient.
    fill(accumulating, 5);
    fill(plain, 5);
    const std::vector<float> unchanged = all_parameters(accumulating);
    accumulating.step();
    EXPECT_EQ(all_parameters(accumulating), unchanged);
    accumulating.step();
    plain.step();
    EXPECT_EQ(all_parameters(accumulating), all_parameters(plain)) << round;
  }
  EXPECT_NE(all_parameters(plain), before);
}

TEST(Optimizer, AveragesFollowParametersAndBuffers) {
  Trainer trainer = make_trainer({.average_decay = 0.75F});
  const std::string names[] = {"classifier.weight", "bn1.running_var", "bn1.weight"};
  for (const std::string& name : names) EXPECT_EQ(trainer.average(name), trainer.value(name));
  std::vector<float> expected[3];
  for (std::size_t i = 0; i < 3; ++i) expected[i] = trainer.value(names[i]);
  for (std::uint64_t step = 0; step < 3; ++step) {
    fill(trainer, step);
    trainer.step();
    for (std::size_t i = 0; i < 3; ++i) {
      const std::vector<float> value = trainer.value(names[i]);
      const std::vector<float> average = trainer.average(names[i]);
      for (std::size_t k = 0; k < value.size(); ++k) {
        expected[i][k] = 0.75F * expected[i][k] + 0.25F * value[k];
        ASSERT_NEAR(average[k], expected[i][k], 1e-6 * std::max(1.0F, std::abs(expected[i][k]))) << names[i];
      }
    }
  }
}

TEST(Optimizer, OnlyWeightMatricesDecayIfAsked) {
  Trainer trainer = make_trainer({.optimizer = {.kind = graph::OptimizerKind::lion,
                                                .weight_decay = 10,
                                                .decays = graph::is_weight_matrix}});
  trainer.set_learning_rate(1e-3F);
  fill(trainer, 1);
  trainer.step();
  for (const float value : trainer.value("bn1.weight")) EXPECT_NEAR(std::abs(value - 1), 1e-3, 1e-6);
}

TEST(Optimizer, AllOptionsTogetherGiveTheSameBitsForAnyNumberOfThreads) {
  std::vector<float> expected;
  for (const int threads : {1, 2, 3}) {
    Trainer trainer = make_trainer({.optimizer = {.kind = graph::OptimizerKind::adamw, .weight_decay = 0.05F},
                                    .label_smoothing = 0.1F,
                                    .clip_norm = 1,
                                    .accumulate = 2,
                                    .average_decay = 0.9F,
                                    .threads = threads});
    for (std::uint64_t step = 0; step < 4; ++step) {
      fill(trainer, step);
      trainer.step();
    }
    const std::vector<float> found = all_parameters(trainer);
    if (expected.empty()) expected = found;
    EXPECT_EQ(std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)), 0) << threads;
  }
}

TEST(Optimizer, AContinuedRunHasTheSameBits) {
  const TrainerOptions options{.optimizer = {.kind = graph::OptimizerKind::adamw, .weight_decay = 0.05F},
                               .accumulate = 2, .average_decay = 0.9F};
  Trainer whole = make_trainer(options);
  Trainer continued = make_trainer(options);
  for (std::uint64_t step = 0; step < 5; ++step) {
    fill(whole, step);
    whole.step();
    if (step != 2) continue;
    for (const auto& names : {whole.parameter_names(), whole.buffer_names(), whole.state_names()})
      for (const std::string& name : names) continued.set_value(name, whole.value(name));
    continued.set_steps(whole.steps());
  }
  for (std::uint64_t step = 3; step < 5; ++step) {
    fill(continued, step);
    continued.step();
  }
  EXPECT_EQ(all_parameters(continued), all_parameters(whole));
  EXPECT_EQ(continued.average("classifier.weight"), whole.average("classifier.weight"));
}

}  // namespace
}  // namespace bramble::engine
