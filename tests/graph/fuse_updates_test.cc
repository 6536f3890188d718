#include "graph/fuse_updates.h"

#include <gtest/gtest.h>

#include "graph/builder.h"
#include "graph/ops/linear.h"
#include "graph/ops/sgd.h"
#include "graph/ops/with_update.h"
#include "graph/training.h"

namespace bramble::graph {
namespace {

// Two linear layers, the first of which trains its bias as well.
Model two_layers() {
  Builder b{ModelConfig{.batch = 2, .size = 8, .classes = 4}};
  const TensorId x = b.reshape(b.images(), {2, 192});
  return b.finish(b.linear("second", b.relu(b.linear("first", x, 16)), 4));
}

struct Count {
  int with_update = 0;
  int sgd = 0;
};

Count count(const Graph& graph) {
  Count count;
  for (const Node& node : graph.nodes()) {
    count.with_update += dynamic_cast<const WithUpdate*>(node.op.get()) != nullptr;
    count.sgd += node.op->name() == "sgd";
  }
  return count;
}

TrainingConfig sgd() {
  TrainingConfig config;
  config.optimizer.momentum = 0.9F;
  return config;
}

TEST(FuseUpdates, WeightsAreUpdatedByTheirGradientsProducts) {
  const Count fused = count(make_training_step(two_layers(), sgd()).graph);
  EXPECT_EQ(fused.with_update, 2);
  EXPECT_EQ(fused.sgd, 2);  // the biases
}

TEST(FuseUpdates, WhatElseReadsTheGradientKeepsItInMemory) {
  TrainingConfig kept = sgd(), clipped = sgd(), summed = sgd();
  kept.keep_gradients = true;
  clipped.clip_norm = 1;
  summed.accumulate = true;
  for (const TrainingConfig& config : {kept, clipped, summed}) {
    const Count separate = count(make_training_step(two_layers(), config).graph);
    EXPECT_EQ(separate.with_update, 0);
    EXPECT_EQ(separate.sgd, 4);
  }
}

TEST(FuseUpdates, ANodeWithAnUpdateInfersAndMutatesAsBothDo) {
  const Graph graph = make_training_step(two_layers(), sgd()).graph;
  for (const Node& node : graph.nodes()) {
    if (!dynamic_cast<const WithUpdate*>(node.op.get())) continue;
    std::vector<TensorSpec> inputs;
    for (const TensorId id : node.inputs) inputs.push_back(id == kNoTensor ? TensorSpec{} : graph.tensor(id).spec);
    const auto outputs = node.op->infer(inputs);
    ASSERT_EQ(outputs.size(), node.outputs.size());
    for (std::size_t o = 0; o < outputs.size(); ++o)
      EXPECT_EQ(outputs[o].shape, graph.tensor(node.outputs[o]).spec.shape);
    std::vector<std::string> mutated;
    for (const int i : node.op->mutated_inputs())
      mutated.push_back(graph.tensor(node.inputs.at(static_cast<std::size_t>(i))).name);
    EXPECT_EQ(mutated, (std::vector<std::string>{node.name + ".weight", node.name + ".weight.momentum"}));
  }
}

// The weight would change before that reader's turn.
TEST(FuseUpdates, AReaderInBetweenKeepsThemApart) {
  for (const bool reader : {false, true}) {
    Graph graph;
    const TensorId x = graph.add_tensor({"x", {{8, 6}}, Role::input});
    const TensorId dy = graph.add_tensor({"dy", {{8, 4}}, Role::input});
    const TensorId rate = graph.add_tensor({"rate", {{1}}, Role::input});
    const TensorId weight = graph.add_tensor({"w", {{4, 6}}, Role::parameter});
    const TensorSpec spec = graph.tensor(weight).spec;
    const TensorId dw = graph.add_node(std::make_shared<LinearBwdWeight>(spec), "layer", {x, dy})[0];
    if (reader) graph.add_node(std::make_shared<LinearBwdData>(), "other", {dy, weight});
    graph.add_node(std::make_shared<Sgd>(SgdAttributes{}), "w", {weight, dw, rate, kNoTensor});
    fuse_updates(graph);
    EXPECT_EQ(count(graph).with_update, reader ? 0 : 1);
  }
}

}  // namespace
}  // namespace bramble::graph
