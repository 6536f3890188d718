// What must hold of any model's training step, whatever it computes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/trainer.h"
#include "models/registry.h"
#include "tests/support/random.h"

namespace bramble::engine {
namespace {

struct Small {
  const char* model;
  std::int64_t size;
  float drop_rate = 0;  ///< of dropout and stochastic depth

  std::string name() const { return std::string(model) + (drop_rate > 0 ? "_dropping" : ""); }
};

std::ostream& operator<<(std::ostream& out, const Small& small) { return out << small.name(); }

graph::Model build(const Small& small) {
  return models::build_model(
      models::find_model(small.model),
      {.batch = 3, .size = small.size, .classes = 7, .drop_rate = small.drop_rate, .drop_path_rate = small.drop_rate});
}

Trainer make_trainer(const Small& small, TrainerOptions options) {
  options.optimizer.weight_decay = 1e-4F;
  options.optimizer.momentum = 0.9F;
  Trainer trainer(build(small), options);
  std::uint64_t seed = 1;
  for (const std::string& name : trainer.parameter_names()) {
    const auto count = static_cast<std::size_t>(graph::element_count(trainer.shape_of(name)));
    const bool is_scale = trainer.shape_of(name).size() == 1 && name.ends_with("weight");
    trainer.set_value(name,
                      is_scale ? test::uniform(count, seed, 0.9F, 1.1F) : test::uniform(count, seed, -0.1F, 0.1F));
    ++seed;
  }
  const std::vector<float> images = test::uniform(trainer.images().size(), 1000);
  std::memcpy(trainer.images().data(), images.data(), images.size() * sizeof(float));
  for (std::size_t n = 0; n < trainer.labels().size(); ++n) trainer.labels()[n] = static_cast<std::int32_t>(n % 7);
  trainer.set_learning_rate(0.01F);
  return trainer;
}

Trainer make_trainer(const Small& small, int threads, MemoryMode memory) {
  return make_trainer(small, {.threads = threads, .keep_gradients = true, .memory = memory});
}

/// Everything that two steps leave behind.
std::vector<std::vector<float>> two_steps(const Small& small, int threads, MemoryMode memory = MemoryMode::planned) {
  Trainer trainer = make_trainer(small, threads, memory);
  std::vector<std::vector<float>> results = {{trainer.step(), trainer.step()}};
  results.emplace_back(trainer.logits().begin(), trainer.logits().end());
  for (const std::string& name : trainer.parameter_names()) {
    results.push_back(trainer.value(name));
    results.push_back(trainer.gradient(name));
  }
  for (const std::string& name : trainer.buffer_names()) results.push_back(trainer.value(name));
  return results;
}

void expect_same_bits(const std::vector<std::vector<float>>& a, const std::vector<std::vector<float>>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    EXPECT_EQ(std::memcmp(a[i].data(), b[i].data(), a[i].size() * sizeof(float)), 0) << "result " << i;
}

class Step : public testing::TestWithParam<Small> {};

TEST_P(Step, HasTheSameBitsForAnyNumberOfThreads) {
  const auto one = two_steps(GetParam(), 1);
  for (const int threads : {2, 3, 4}) {
    SCOPED_TRACE(std::to_string(threads) + " threads");
    expect_same_bits(one, two_steps(GetParam(), threads));
  }
}

TEST_P(Step, ReadsNothingThatItOverwrote) {
  expect_same_bits(two_steps(GetParam(), 2), two_steps(GetParam(), 2, MemoryMode::isolated));
}

// Gradients that nobody keeps go from the product straight to the update.
void expect_same_bits_without_gradients_in_memory(const Small& small, graph::OptimizerKind kind) {
  TrainerOptions options{.threads = 2};
  options.optimizer.kind = kind;
  std::vector<std::vector<float>> results[2];
  for (const bool keeps : {true, false}) {
    options.keep_gradients = keeps;
    Trainer trainer = make_trainer(small, options);
    results[keeps].push_back({trainer.step(), trainer.step()});
    for (const std::string& name : trainer.parameter_names()) results[keeps].push_back(trainer.value(name));
  }
  expect_same_bits(results[true], results[false]);
}

TEST_P(Step, UpdatesToTheSameBitsWithoutGradientsInMemory) {
  expect_same_bits_without_gradients_in_memory(GetParam(), graph::OptimizerKind::sgd);
}

TEST(Updates, HaveTheSameBitsWithoutGradientsInMemory) {
  expect_same_bits_without_gradients_in_memory({"mnasnet_050", 64}, graph::OptimizerKind::adamw);
  expect_same_bits_without_gradients_in_memory({"mnasnet_050", 64}, graph::OptimizerKind::lion);
}

#ifndef BRAMBLE_SMALLEST_MODEL_ONLY
TEST(Biases, HaveTheSameGradientsWithoutTheirWeights) {
  const std::vector<std::string> biases = {"blocks.3.mlp.fc1.bias", "blocks.3.mlp.fc2.bias", "blocks.7.attn.qkv.bias"};
  const Small small{"vit_tiny", 224};
  Trainer all = make_trainer(small, {.threads = 2, .keep_gradients = true});
  Trainer alone = make_trainer(small, {.trainable = biases, .threads = 2, .keep_gradients = true});
  all.step();
  alone.step();
  for (const std::string& name : biases) {
    const std::vector<float> expected = all.gradient(name), got = alone.gradient(name);
    double norm = 0, deviation = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      norm += std::pow(expected[i], 2);
      deviation += std::pow(static_cast<double>(got[i]) - expected[i], 2);
    }
    EXPECT_LT(std::sqrt(deviation / norm), 2e-6) << name;
  }
}
#endif

TEST_P(Step, NeedsLessMemoryForTheHeadAlone) {
  const Trainer all(build(GetParam()), {.threads = 1});
  const Trainer head(build(GetParam()), {.trainable = models::find_model(GetParam().model).head_keys, .threads = 1});
  EXPECT_LT(head.memory().activations, all.memory().activations / 2);
  EXPECT_LT(head.flops_per_step(), all.flops_per_step() / 2);
}

TEST(Dropping, FollowsFromTheStepsNumber) {
  Trainer trainer = make_trainer({"mnasnet_050", 32, 0.5F}, 1, MemoryMode::planned);
  trainer.set_learning_rate(0);
  const float first = trainer.step(), second = trainer.step();
  EXPECT_NE(first, second);
  trainer.set_steps(0);
  EXPECT_EQ(trainer.step(), first);
  EXPECT_EQ(trainer.step(), second);
}

#ifdef BRAMBLE_SMALLEST_MODEL_ONLY
constexpr Small kModels[] = {{"mnasnet_050", 32}, {"mnasnet_050", 32, 0.2F}};
#else
constexpr Small kModels[] = {{"resnet18", 64}, {"mnasnet_050", 64}, {"mnasnet_050", 64, 0.2F}, {"vit_tiny", 224}};
#endif

TEST_P(Step, LendsItsWorkingMemoryToAnEvaluation) {
  const auto evaluation_of = [](Trainer& trainer, std::span<std::byte> lent) {
    graph::ModelConfig config{.batch = 3, .size = GetParam().size, .classes = 7, .training = false};
    Evaluator evaluator(models::build_model(models::find_model(GetParam().model), config), 2, MemoryMode::planned,
                        lent);
    for (const auto& names : {evaluator.parameter_names(), evaluator.buffer_names()})
      for (const std::string& name : names) evaluator.set_value(name, trainer.value(name));
    std::ranges::copy(trainer.images(), evaluator.images().begin());
    evaluator.run();
    return std::pair(std::vector<float>(evaluator.logits().begin(), evaluator.logits().end()),
                     evaluator.memory_of_its_own());
  };
  constexpr float kRate = 1e-4F;  // at a larger one the smallest model's evaluation overflows after a step
  Trainer trainer = make_trainer(GetParam(), 2, MemoryMode::planned);
  trainer.set_learning_rate(kRate);
  trainer.step();
  const auto [expected, alone] = evaluation_of(trainer, {});
  const auto [logits, borrowing] = evaluation_of(trainer, trainer.working_memory());
  EXPECT_TRUE(std::isfinite(expected[0]));
  EXPECT_EQ(logits, expected);
  EXPECT_LT(borrowing, alone);
  trainer.step();
  std::vector<std::vector<float>> values;
  for (const std::string& name : trainer.parameter_names()) values.push_back(trainer.value(name));
  Trainer other = make_trainer(GetParam(), 2, MemoryMode::planned);
  other.set_learning_rate(kRate);
  other.step();
  other.step();
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(other.value(other.parameter_names()[i]), values[i]);
}

INSTANTIATE_TEST_SUITE_P(Models, Step, testing::ValuesIn(kModels), [](const auto& row) { return row.param.name(); });

}  // namespace
}  // namespace bramble::engine
