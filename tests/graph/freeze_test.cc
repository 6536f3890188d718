#include "graph/freeze.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "graph/builder.h"
#include "graph/ops/conv2d.h"
#include "graph/training.h"

namespace bramble::graph {
namespace {

/// Three convolutions in a chain and one beside them.
Model make_model() {
  Builder b({.batch = 2, .size = 16, .classes = 4});
  const TensorId x = b.relu(b.conv2d("first", b.images(), 8, 3, {.padding = 1}));
  const TensorId y = b.relu(b.conv2d("second", x, 8, 3, {.padding = 1}));
  const TensorId side = b.relu(b.conv2d("side", x, 8, 3, {.padding = 1}));
  return b.finish(b.linear("fc", b.global_avg_pool(b.conv2d("third", b.add(y, side), 8, 3, {.padding = 1})), 4));
}

std::map<std::string, bool> frozen_convolutions(const Graph& graph) {
  std::map<std::string, bool> frozen;
  for (const Node& node : graph.nodes())
    if (const auto* conv = dynamic_cast<const Conv2d*>(node.op.get())) frozen[node.name] = conv->attributes.frozen;
  return frozen;
}

std::map<std::string, bool> frozen_when_training(const std::vector<std::string>& trainable) {
  TrainingConfig config;
  config.trainable = trainable;
  return frozen_convolutions(make_training_step(make_model(), config).graph);
}

using Frozen = std::map<std::string, bool>;

TEST(Freeze, NothingIsFrozenWhereAllIsTrained) {
  EXPECT_EQ(frozen_when_training({}), (Frozen{{"first", false}, {"second", false}, {"side", false}, {"third", false}}));
}

TEST(Freeze, WhatLiesBeforeTheFirstTrainedParameterIsFrozen) {
  EXPECT_EQ(frozen_when_training({"second.weight"}),
            (Frozen{{"first", true}, {"second", false}, {"side", true}, {"third", false}}));
}

TEST(Freeze, AHeadsBackboneIsFrozen) {
  EXPECT_EQ(frozen_when_training({"fc.weight", "fc.bias"}),
            (Frozen{{"first", true}, {"second", true}, {"side", true}, {"third", true}}));
}

TEST(Freeze, InferenceIsFrozenThroughout) {
  EXPECT_EQ(frozen_convolutions(make_inference(make_model()).graph),
            (Frozen{{"first", true}, {"second", true}, {"side", true}, {"third", true}}));
}

}  // namespace
}  // namespace bramble::graph
