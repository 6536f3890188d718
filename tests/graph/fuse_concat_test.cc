#include "graph/fuse_concat.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "graph/builder.h"
#include "graph/ops/gate.h"
#include "graph/training.h"

namespace bramble::graph {
namespace {

/// A ghost module of 8 + 8 channels times a gate; `other` reads what is joined as well.
Graph gated_step(bool other) {
  Builder b({.batch = 2, .size = 16, .classes = 4});
  const TensorId primary = b.relu(b.batchnorm("bn1", b.conv2d("pw", b.images(), 8, 1)));
  const TensorId cheap = b.relu(b.batchnorm("bn2", b.conv2d("dw", primary, 8, 3, {.padding = 1, .groups = 8})));
  const TensorId joined = b.concat({primary, cheap});
  const TensorId gate = b.activation(b.conv2d("gate", b.avg_pool2d(b.images(), 2, 2), 16, 1), Activation::sigmoid);
  TensorId y = b.gate(joined, gate);
  if (other) y = b.add(y, joined);
  return make_training_step(b.finish(b.linear("fc", b.global_avg_pool(b.relu(y)), 4)), {}).graph;
}

const Node& node_of(const Graph& graph, std::string_view op) {
  return *std::ranges::find_if(graph.nodes(), [&](const Node& node) { return node.op->name() == op; });
}

bool is_read(const Graph& graph, TensorId id) {
  return std::ranges::any_of(graph.nodes(), [&](const Node& node) { return std::ranges::count(node.inputs, id) > 0; });
}

TEST(ConcatFusion, GatesJoinThePartsThemselvesBothWays) {
  const Graph graph = gated_step(false);
  const Node& concat = node_of(graph, "concat");
  EXPECT_FALSE(is_read(graph, concat.outputs[0]));
  const Node& gate = node_of(graph, "gate");
  EXPECT_EQ(gate.inputs[0], kNoTensor);
  EXPECT_EQ((std::vector<TensorId>{gate.inputs.begin() + Gate::kFirstPart, gate.inputs.end()}), concat.inputs);
  EXPECT_EQ(static_cast<const Gate&>(*gate.op).joined, concat.op);
  const Node& backward = node_of(graph, "gate_bwd");
  EXPECT_EQ(backward.inputs[1], kNoTensor);
  EXPECT_EQ((std::vector<TensorId>{backward.inputs.begin() + GateBwd::kFirstPart, backward.inputs.end()}),
            concat.inputs);
  EXPECT_EQ(static_cast<const GateBwd&>(*backward.op).joined, concat.op);
}

TEST(ConcatFusion, WhatSomeoneElseReadsIsJoined) {
  const Graph graph = gated_step(true);
  const Node& concat = node_of(graph, "concat");
  EXPECT_TRUE(is_read(graph, concat.outputs[0]));
  EXPECT_EQ(node_of(graph, "gate").inputs[0], concat.outputs[0]);
  EXPECT_EQ(node_of(graph, "gate_bwd").inputs[1], concat.outputs[0]);
}

TEST(ConcatFusion, WhatTheCallerReadsOrHasAnAbsentPartIsJoined) {
  for (const bool absent : {false, true}) {
    Graph graph;
    const TensorId part = graph.add_tensor({"part", {{2, 4, 4, 3}}, Role::input});
    const TensorId gate = graph.add_tensor({"gate", {{2, 2, 2, 6}}, Role::input});
    const TensorId joined = graph.add_node(std::make_shared<Concat>(std::vector<std::int64_t>{3, 3}), "concat",
                                           {part, absent ? kNoTensor : part})[0];
    graph.keep(graph.add_node(std::make_shared<Gate>(), "gate", {joined, gate})[0]);
    if (!absent) graph.keep(joined);
    fuse_concat(graph);
    EXPECT_EQ(node_of(graph, "gate").inputs[0], joined) << absent;
  }
}

}  // namespace
}  // namespace bramble::graph
