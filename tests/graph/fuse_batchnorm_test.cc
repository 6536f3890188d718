#include "graph/fuse_batchnorm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "graph/builder.h"
#include "graph/ops/batchnorm.h"
#include "graph/ops/concat.h"
#include "graph/ops/conv2d.h"
#include "graph/ops/depthwise_conv2d.h"
#include "graph/ops/pointwise_conv2d.h"
#include "graph/training.h"

namespace bramble::graph {
namespace {

/// conv 1x1, BatchNorm, ReLU6, depthwise, BatchNorm, conv 1x1, BatchNorm, ReLU; `shortcut` reads the first BatchNorm
/// too.
Graph training_step(bool shortcut, bool training = true) {
  Builder b({.batch = 2, .size = 16, .classes = 4, .training = training});
  const TensorId first = b.activation(b.batchnorm("bn1", b.conv2d("pw", b.images(), 8, 1)), Activation::relu6);
  TensorId y = b.conv2d("dw", first, 8, 3, {.padding = 1, .groups = 8});
  y = b.batchnorm("bn3", b.conv2d("pwl", b.batchnorm("bn2", y), 8, 1));
  if (shortcut) y = b.add(y, first);
  TrainingConfig config;
  config.keep_gradients = true;  // so that a gradient's op is itself, not one with an update
  return make_training_step(b.finish(b.linear("fc", b.global_avg_pool(b.relu(y)), 4)), config).graph;
}

const Node& node_of(const Graph& graph, std::string_view layer, std::string_view op) {
  const auto found = std::find_if(graph.nodes().begin(), graph.nodes().end(),
                                  [&](const Node& n) { return n.name == layer && n.op->name() == op; });
  EXPECT_NE(found, graph.nodes().end()) << layer << " " << op;
  return *found;
}

bool is_read(const Graph& graph, TensorId id) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [&](const Node& node) {
    return std::find(node.inputs.begin(), node.inputs.end(), id) != node.inputs.end();
  });
}

TEST(BatchNormFusion, ReadersNormaliseOnTheWayIn) {
  const Graph graph = training_step(false);
  const Node& norm = node_of(graph, "bn1", "batchnorm");
  EXPECT_FALSE(is_read(graph, norm.outputs[0]));
  const Node& forward = node_of(graph, "dw", "depthwise_conv2d");
  EXPECT_EQ(forward.inputs[0], norm.inputs[0]);
  EXPECT_EQ((std::vector<TensorId>{forward.inputs.begin() + 3, forward.inputs.end()}),
            (std::vector<TensorId>{norm.outputs[1], norm.outputs[3], norm.inputs[2]}));
  EXPECT_EQ(static_cast<const DepthwiseConv2d&>(*forward.op).attributes.normalisation, Activation::relu6);
  const Node& backward = node_of(graph, "dw", "depthwise_conv2d_bwd");
  EXPECT_EQ(backward.inputs[1], norm.inputs[0]);
  EXPECT_EQ(node_of(graph, "pwl", "pointwise_conv2d_bwd").inputs.at(4), node_of(graph, "bn2", "batchnorm").outputs[1]);
}

TEST(BatchNormFusion, SumsComeFromWhoWritesWhatTheySum) {
  const Graph graph = training_step(false);
  EXPECT_EQ(node_of(graph, "bn1", "batchnorm").inputs.at(6), node_of(graph, "pw", "conv2d").outputs[2]);
  EXPECT_EQ(node_of(graph, "bn2", "batchnorm").inputs.at(6), node_of(graph, "dw", "depthwise_conv2d").outputs[1]);
  EXPECT_EQ(node_of(graph, "bn1", "batchnorm_bwd").inputs.at(7),
            node_of(graph, "dw", "depthwise_conv2d_bwd").outputs[3]);
  EXPECT_EQ(node_of(graph, "bn2", "batchnorm_bwd").inputs.at(7),
            node_of(graph, "pwl", "pointwise_conv2d_bwd").outputs[3]);
}

TEST(BatchNormFusion, AGradientIsMadeByTheOnlyOneWhoReadsIt) {
  const Graph graph = training_step(false);
  const Node& norm = node_of(graph, "bn3", "batchnorm_bwd");
  EXPECT_FALSE(is_read(graph, norm.outputs[0]));
  const Node& reader = node_of(graph, "pwl", "pointwise_conv2d_bwd");
  EXPECT_EQ(reader.inputs[0], norm.inputs[0]);
  EXPECT_EQ(reader.inputs.at(7), norm.inputs[1]);
  EXPECT_EQ(reader.inputs.at(8), norm.outputs[4]);
  EXPECT_EQ(dynamic_cast<const PointwiseConv2dBwd&>(*reader.op).gradient_normalisation, Activation::relu);
}

TEST(BatchNormFusion, ADepthwiseConvolutionMakesItsGradientToo) {
  const Graph graph = training_step(false);
  const Node& norm = node_of(graph, "bn2", "batchnorm_bwd");
  EXPECT_FALSE(is_read(graph, norm.outputs[0]));
  const Node& reader = node_of(graph, "dw", "depthwise_conv2d_bwd");
  EXPECT_EQ(reader.inputs[0], norm.inputs[0]);
  EXPECT_EQ(reader.inputs.at(6), norm.inputs[1]);
  EXPECT_EQ(reader.inputs.at(7), norm.outputs[4]);
  const auto& op = dynamic_cast<const DepthwiseConv2dBwd&>(*reader.op);
  EXPECT_EQ(op.gradient_normalisation, Activation::none);
  EXPECT_EQ(op.attributes.normalisation, Activation::relu6);
}

/// A ghost module with ReLU, of 8 + 8 channels; `other` reads its second half too.
Graph ghost_step(bool other) {
  Builder b({.batch = 2, .size = 16, .classes = 4});
  const TensorId primary = b.relu(b.batchnorm("bn1", b.conv2d("pw", b.images(), 8, 1)));
  const TensorId cheap = b.relu(b.batchnorm("bn2", b.conv2d("dw", primary, 8, 3, {.padding = 1, .groups = 8})));
  TensorId y = b.conv2d("pwl", b.concat({primary, cheap}), 8, 1);
  if (other) y = b.add(y, cheap);
  return make_training_step(b.finish(b.linear("fc", b.global_avg_pool(b.relu(y)), 4)), {}).graph;
}

const Node& concat_of(const Graph& graph) {
  return *std::ranges::find_if(graph.nodes(), [](const Node& node) { return node.op->name() == "concat"; });
}

TEST(BatchNormFusion, AConcatenationNormalisesEachPartByItsOwn) {
  const Graph graph = ghost_step(false);
  const Node& concat = concat_of(graph);
  std::vector<TensorId> parts, affines;
  for (const char* name : {"bn1", "bn2"}) {
    const Node& norm = node_of(graph, name, "batchnorm");
    EXPECT_FALSE(is_read(graph, norm.outputs[0])) << name;
    parts.push_back(norm.inputs[0]);
    affines.insert(affines.end(), {norm.outputs[1], norm.outputs[3], norm.inputs[2]});
  }
  parts.insert(parts.end(), affines.begin(), affines.end());
  EXPECT_EQ(concat.inputs, parts);
  EXPECT_EQ(static_cast<const Concat&>(*concat.op).normalisations,
            (std::vector<std::optional<Activation>>{Activation::relu, Activation::relu}));
}

TEST(BatchNormFusion, AConcatenationTakesAPartThatSomeoneElseReadsAsItIs) {
  const Graph graph = ghost_step(true);
  const Node& concat = concat_of(graph);
  const Node& norm = node_of(graph, "bn2", "batchnorm");
  EXPECT_TRUE(is_read(graph, norm.outputs[0]));
  EXPECT_EQ(concat.inputs[1], norm.outputs[0]);
  EXPECT_EQ(concat.inputs[0], node_of(graph, "bn1", "batchnorm").inputs[0]);
  EXPECT_EQ(static_cast<const Concat&>(*concat.op).normalisations,
            (std::vector<std::optional<Activation>>{Activation::relu, {}}));
}

TEST(BatchNormFusion, AnOutputThatSomeoneElseReadsIsWritten) {
  const Graph graph = training_step(true);
  const Node& norm = node_of(graph, "bn1", "batchnorm");
  EXPECT_TRUE(is_read(graph, norm.outputs[0]));
  EXPECT_EQ(node_of(graph, "dw", "depthwise_conv2d").inputs[0], norm.outputs[0]);
  EXPECT_LE(node_of(graph, "bn1", "batchnorm_bwd").inputs.size(), 7U);
}

// Stem, BatchNorm, ReLU, max pooling; `shortcut` reads the BatchNorm too.
Graph pooled_step(bool shortcut) {
  Builder b({.batch = 2, .size = 16, .classes = 4, .training = true});
  TensorId y = b.relu(b.batchnorm("bn1", b.conv2d("stem", b.images(), 8, 3, {.padding = 1})));
  const TensorId pooled = b.global_avg_pool(b.max_pool2d(y, 3, 2, 1));
  y = shortcut ? b.add(pooled, b.global_avg_pool(y)) : pooled;
  return make_training_step(b.finish(b.linear("fc", y, 4)), TrainingConfig{}).graph;
}

const Node& pool_of(const Graph& graph, std::string_view op) {
  const auto found =
      std::find_if(graph.nodes().begin(), graph.nodes().end(), [&](const Node& n) { return n.op->name() == op; });
  EXPECT_NE(found, graph.nodes().end()) << op;
  return *found;
}

TEST(BatchNormFusion, AMaxPoolingNormalisesAndIsUndoneInPassing) {
  const Graph graph = pooled_step(false);
  const Node& norm = node_of(graph, "bn1", "batchnorm");
  EXPECT_FALSE(is_read(graph, norm.outputs[0]));
  const Node& pool = pool_of(graph, "max_pool2d");
  EXPECT_EQ(pool.inputs, (std::vector<TensorId>{norm.inputs[0], norm.outputs[1], norm.outputs[3], norm.inputs[2]}));
  const Node& unpool = pool_of(graph, "max_pool2d_bwd");
  EXPECT_FALSE(is_read(graph, unpool.outputs[0]));
  const Node& backward = node_of(graph, "bn1", "batchnorm_bwd");
  EXPECT_EQ(backward.inputs[0], unpool.inputs[0]);
  EXPECT_EQ(backward.inputs.at(8), pool.outputs[1]);
  EXPECT_TRUE(static_cast<const BatchNormBwd&>(*backward.op).pool.has_value());
}

TEST(BatchNormFusion, WhatOthersReadBesideAPoolingIsWritten) {
  const Graph graph = pooled_step(true);
  EXPECT_TRUE(is_read(graph, node_of(graph, "bn1", "batchnorm").outputs[0]));
  EXPECT_TRUE(is_read(graph, pool_of(graph, "max_pool2d_bwd").outputs[0]));
  EXPECT_FALSE(static_cast<const BatchNormBwd&>(*node_of(graph, "bn1", "batchnorm_bwd").op).pool.has_value());
}

/// Two blocks, each with a residual that joins before a ReLU (`window`: the second begins with a 3x3 convolution).
Graph joined_step(bool window) {
  Builder b({.batch = 2, .size = 16, .classes = 4, .training = true});
  TensorId x = b.conv2d("stem", b.images(), 8, 1);
  x = b.relu(b.add(b.batchnorm("bn1", b.conv2d("conv1", x, 8, 1)), x));
  const TensorId y = window ? b.conv2d("conv2", x, 8, 3, {.padding = 1}) : b.conv2d("conv2", x, 8, 1);
  x = b.relu(b.add(b.batchnorm("bn2", y), x));
  TrainingConfig config;
  config.keep_gradients = true;
  return make_training_step(b.finish(b.linear("fc", b.global_avg_pool(x), 4)), config).graph;
}

TEST(BatchNormFusion, WhereAResidualJoinsTheGradientComesMaskedWithItsSums) {
  for (const bool window : {false, true}) {
    const Graph graph = joined_step(window);
    const Node& norm = node_of(graph, "bn1", "batchnorm");
    const Node& backward = node_of(graph, "bn1", "batchnorm_bwd");
    const Node& producer = node_of(graph, "conv2", window ? "conv2d_bwd_data" : "pointwise_conv2d_bwd");
    ASSERT_EQ(backward.inputs[0], producer.outputs[0]);
    EXPECT_EQ(backward.inputs.at(6), kNoTensor);
    EXPECT_EQ(static_cast<const BatchNormBwd&>(*backward.op).attributes.activation, Activation::none);
    EXPECT_EQ(backward.inputs.at(7), producer.outputs[static_cast<std::size_t>(producer.op->channel_sums_output())]);
    const auto first = static_cast<std::size_t>(producer.op->backward_sums_input());
    EXPECT_EQ(
        (std::vector<TensorId>{producer.inputs.begin() + static_cast<std::ptrdiff_t>(first), producer.inputs.end()}),
        (std::vector<TensorId>{norm.inputs[0], norm.outputs[1], norm.outputs[3], norm.inputs[2], norm.outputs[0]}));
    // The residual's gradient is what the BatchNorm takes: the first convolution adds it to its own.
    EXPECT_FALSE(is_read(graph, backward.outputs[3]));
    const Node& addend = node_of(graph, "conv1", "pointwise_conv2d_bwd");
    EXPECT_EQ(addend.inputs.at(3), producer.outputs[0]);
  }
}

TEST(BatchNormFusion, AResidualsBatchNormIsDoneWhereItJoins) {
  Builder b({.batch = 2, .size = 16, .classes = 4, .training = true});
  const TensorId x = b.conv2d("stem", b.images(), 8, 1);
  const TensorId shortcut = b.batchnorm("bn2", b.conv2d("conv2", x, 8, 1));
  const TensorId y = b.relu(b.add(b.batchnorm("bn1", b.conv2d("conv1", x, 8, 1)), shortcut));
  const Graph graph = make_training_step(b.finish(b.linear("fc", b.global_avg_pool(y), 4)), TrainingConfig{}).graph;
  const Node& norm = node_of(graph, "bn2", "batchnorm");
  const Node& join = node_of(graph, "bn1", "batchnorm");
  EXPECT_FALSE(is_read(graph, norm.outputs[0]));
  EXPECT_EQ(join.inputs.at(5), norm.inputs[0]);
  EXPECT_EQ((std::vector<TensorId>{join.inputs.begin() + 7, join.inputs.end()}),
            (std::vector<TensorId>{norm.outputs[1], norm.outputs[3], norm.inputs[2]}));
  EXPECT_TRUE(static_cast<const BatchNorm&>(*join.op).normalises_residual);
}

TEST(BatchNormFusion, ARunningNormalisationNeedsNoSums) {
  const Graph graph = training_step(false, false);
  EXPECT_LE(node_of(graph, "bn1", "batchnorm").inputs.size(), 6U);
  EXPECT_FALSE(is_read(graph, node_of(graph, "bn1", "batchnorm").outputs[0]));
}

}  // namespace
}  // namespace bramble::graph
