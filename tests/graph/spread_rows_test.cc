#include "graph/spread_rows.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "graph/builder.h"
#include "graph/training.h"

namespace bramble::graph {
namespace {

// An MLP whose hidden layer has `hidden` features, on 12 pixels of 192; between its layers what `between` makes of
// them.
template <class Between>
Graph mlp(int hidden, const TrainingConfig& config, Between between) {
  Builder b{ModelConfig{.batch = 2, .size = 8, .classes = 4}};
  const TensorId pixels = b.reshape(b.images(), {2, 1, 1, 192});
  const TensorId y = b.linear("fc2", between(b, b.linear("fc1", pixels, hidden)), 192);
  return make_training_step(b.finish(b.linear("head", b.global_avg_pool(b.relu(b.add(pixels, y))), 4)), config).graph;
}

TensorId gelu(Builder& b, TensorId x) { return b.gelu(x); }

// The nodes that make tensors with spread rows, one entry a tensor.
std::vector<std::string> makers(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes())
    for (const TensorId id : node.outputs)
      if (graph.tensor(id).spec.layout == Layout::spread_rows)
        names.push_back(node.name + ' ' + std::string(node.op->name()));
  return names;
}

using Names = std::vector<std::string>;

TEST(SpreadRows, AHiddenLayersValuesPreactivationAndGradientAreLaidAlike) {
  EXPECT_EQ(makers(mlp(256, {}, gelu)), (Names{"fc1 linear", "fc1 linear", "fc2 linear_bwd_data"}));
}

TEST(SpreadRows, WhatIsNormalisedForALinearLayerToo) {
  const auto normalised = [](Builder& b, TensorId x) { return b.layernorm("norm", x, 1e-6F); };
  EXPECT_EQ(makers(mlp(256, {}, normalised)), (Names{"norm layernorm"}));
}

TEST(SpreadRows, NotWhereRowsSpreadAnyway) { EXPECT_EQ(makers(mlp(192, {}, gelu)), Names{}); }

TEST(SpreadRows, NotWhatOtherOpsTake) {
  const auto normalised = [](Builder& b, TensorId x) { return b.gelu(b.layernorm("norm", x, 1e-6F)); };
  EXPECT_EQ(makers(mlp(256, {}, normalised)), Names{});
  TrainingConfig dropped;
  const auto dropping = [](Builder& b, TensorId x) { return b.scale(b.gelu(x), b.parameter("gamma", {256})); };
  EXPECT_EQ(makers(mlp(256, dropped, dropping)), Names{});
}

TEST(SpreadRows, AnInferenceStaysDense) {
  Builder b{ModelConfig{.batch = 2, .size = 8, .classes = 4}};
  const TensorId pixels = b.reshape(b.images(), {2, 1, 1, 192});
  const TensorId y = b.linear("fc2", b.gelu(b.linear("fc1", pixels, 256)), 192);
  EXPECT_EQ(makers(make_inference(b.finish(b.linear("head", b.global_avg_pool(y), 4))).graph), Names{});
}

}  // namespace
}  // namespace bramble::graph
