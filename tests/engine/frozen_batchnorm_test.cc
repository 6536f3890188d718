// Training with BatchNorm's running statistics fixed: ModelConfig::frozen_batchnorm.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/golden.h"
#include "engine/trainer.h"
#include "models/registry.h"
#include "tests/support/random.h"

namespace bramble::engine {
namespace {

constexpr std::int64_t kClasses = 5;

graph::Model build(const std::string& model, std::int64_t batch, bool training) {
  return models::build_model(models::find_model(model), {.batch = batch,
                                                         .size = 64,
                                                         .classes = kClasses,
                                                         .training = training,
                                                         .frozen_batchnorm = training});
}

/// Values that the running statistics' initial 0 and 1 do not hide. Variances above 1, so that the sums of several
/// branches do not grow from block to block.
template <class Runner>
void fill(Runner& runner) {
  for (const std::string& name : runner.parameter_names())
    runner.set_value(name, golden_parameter(name, runner.shape_of(name), 3));
  std::uint64_t seed = 0;
  for (const std::string& name : runner.buffer_names()) {
    const auto count = static_cast<std::size_t>(graph::element_count(runner.shape_of(name)));
    const bool variance = name.ends_with("running_var");
    runner.set_value(name, test::uniform(count, ++seed, variance ? 2.0F : -0.2F, variance ? 6.0F : 0.2F));
  }
}

Trainer make_trainer(const std::string& model, std::int64_t batch) {
  Trainer trainer(build(model, batch, true), {.threads = 1, .keep_gradients = true});
  fill(trainer);
  golden_images(batch, 64, 3, trainer.images());
  golden_labels(kClasses, trainer.labels());
  return trainer;
}

class FrozenBatchNorm : public testing::TestWithParam<const char*> {};

TEST_P(FrozenBatchNorm, ForwardIsTheEvaluationsAndStatisticsStay) {
  Trainer trainer = make_trainer(GetParam(), 2);
  Evaluator evaluator(build(GetParam(), 2, false), 1);
  fill(evaluator);
  golden_images(2, 64, 3, evaluator.images());
  evaluator.run();
  std::vector<std::vector<float>> before;
  for (const std::string& name : trainer.buffer_names()) before.push_back(trainer.value(name));
  ASSERT_FALSE(before.empty());
  trainer.set_learning_rate(0.01F);
  trainer.step();
  double largest = 0;
  for (const float logit : evaluator.logits()) largest = std::max(largest, std::abs(static_cast<double>(logit)));
  for (std::size_t i = 0; i < trainer.logits().size(); ++i)
    EXPECT_NEAR(trainer.logits()[i], evaluator.logits()[i], 1e-4 * largest);
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_EQ(trainer.value(trainer.buffer_names()[i]), before[i]) << trainer.buffer_names()[i];
}

/// The central difference along the gradient of all parameters together, a unit vector, is the gradient's length.
TEST_P(FrozenBatchNorm, TheLossFallsAsTheGradientSays) {
  Trainer trainer = make_trainer(GetParam(), 2);
  trainer.set_learning_rate(0);
  trainer.step();
  std::vector<std::vector<float>> values, gradients;
  double squares = 0;
  for (const std::string& name : trainer.parameter_names()) {
    values.push_back(trainer.value(name));
    gradients.push_back(trainer.gradient(name));
    for (const float g : gradients.back()) squares += static_cast<double>(g) * g;
  }
  const double length = std::sqrt(squares);
  ASSERT_GT(length, 1e-3);
  const auto loss_at = [&](double distance) {
    for (std::size_t p = 0; p < values.size(); ++p) {
      std::vector<float> moved = values[p];
      for (std::size_t i = 0; i < moved.size(); ++i)
        moved[i] += static_cast<float>(distance * gradients[p][i] / length);
      trainer.set_value(trainer.parameter_names()[p], moved);
    }
    return static_cast<double>(trainer.step());
  };
  const double distance = 2e-3 / length;  // moves the loss by 0.004, of which float32 keeps four digits
  EXPECT_NEAR((loss_at(distance) - loss_at(-distance)) / (2 * distance), length, 0.02 * length);
}

TEST_P(FrozenBatchNorm, TrainsOnASingleImage) {
  Trainer trainer = make_trainer(GetParam(), 1);
  trainer.set_learning_rate(0.001F);
  const float first = trainer.step();
  EXPECT_LT(trainer.step(), first);
}

INSTANTIATE_TEST_SUITE_P(Models, FrozenBatchNorm,
                         testing::Values("mobilenetv2_050", "mobilenetv3_small_075", "fastvit_t8"),
                         [](const auto& model) { return model.param; });

}  // namespace
}  // namespace bramble::engine
