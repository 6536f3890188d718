#include "graph/fuse_gate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "graph/builder.h"
#include "graph/ops/conv2d.h"
#include "graph/ops/pointwise_conv2d.h"
#include "graph/ops/squeeze_excite.h"
#include "graph/training.h"

namespace bramble::graph {
namespace {

/// A block of EfficientNet's: depthwise, BatchNorm, squeeze-excite, a `kernel` x `kernel` projection.
Model block(int kernel, bool normalised = true) {
  Builder b({.batch = 2, .size = 16, .classes = 4});
  TensorId x = b.conv2d("dw", b.conv2d("stem", b.images(), 8, 1), 8, 3, {.padding = 1, .groups = 8});
  if (normalised) x = b.batchnorm("bn", x);
  x = b.activation(x, Activation::silu);
  x = b.squeeze_excite("se", x, {.reduced = 4, .activation = Activation::silu});
  x = b.conv2d("project", x, 12, kernel, {.padding = kernel / 2});
  return b.finish(b.linear("fc", b.global_avg_pool(x), 4));
}

const Node& node_of(const Graph& graph, std::string_view name, std::string_view op) {
  const auto fits = [&](const Node& node) { return node.name == name && node.op->name() == op; };
  return *std::ranges::find_if(graph.nodes(), fits);
}

const Node& squeeze_excite(const Graph& graph) { return node_of(graph, "se", "squeeze_excite"); }

bool is_read(const Graph& graph, TensorId id) {
  return std::ranges::any_of(graph.nodes(), [&](const Node& node) { return std::ranges::count(node.inputs, id) > 0; });
}

TEST(GateFusion, TheProjectionGatesItsInputBothWays) {
  TrainingConfig config;
  config.keep_gradients = true;  // updates stay apart
  const Graph graph = make_training_step(block(1), config).graph;
  const Node& excite = squeeze_excite(graph);
  EXPECT_FALSE(is_read(graph, excite.outputs[SqueezeExcite::kY]));
  const Node& forward = node_of(graph, "project", "conv2d");
  EXPECT_TRUE(static_cast<const Conv2d&>(*forward.op).attributes.gated);
  const Node& backward = node_of(graph, "project", "pointwise_conv2d_bwd");
  for (const Node* node : {&forward, &backward}) {
    const NormalisedInput places = node->op->normalised_inputs()[0];
    EXPECT_EQ(node->inputs[static_cast<std::size_t>(places.x)], excite.inputs[SqueezeExcite::kX]);
    EXPECT_EQ(node->inputs[static_cast<std::size_t>(places.mean)], excite.inputs[SqueezeExcite::kMeanVector]);
    EXPECT_EQ(node->inputs[static_cast<std::size_t>(places.gate)], excite.outputs[SqueezeExcite::kGate]);
  }
  // Its dx is the squeeze-excite's, not the BatchNorm's, gradient.
  EXPECT_EQ(backward.op->channel_sums_output(), -1);
}

TEST(GateFusion, EvaluationGatesToo) {
  const Graph graph = make_inference(block(1)).graph;
  EXPECT_FALSE(is_read(graph, squeeze_excite(graph).outputs[SqueezeExcite::kY]));
}

TEST(GateFusion, WhatAnotherKernelOrNoBatchNormReadsIsWritten) {
  for (const Graph& graph : {make_training_step(block(3), {}).graph, make_training_step(block(1, false), {}).graph}) {
    const TensorId y = squeeze_excite(graph).outputs[SqueezeExcite::kY];
    EXPECT_EQ(node_of(graph, "project", "conv2d").inputs[0], y);
  }
}

TEST(GateFusion, WhatTheCallerReadsIsWritten) {
  Model model = block(1);
  const TensorId y = squeeze_excite(model.graph).outputs[SqueezeExcite::kY];
  model.graph.keep(y);
  const Graph graph = make_inference(std::move(model)).graph;
  EXPECT_EQ(node_of(graph, "project", "conv2d").inputs[0], y);
}

}  // namespace
}  // namespace bramble::graph
