#include "graph/autodiff.h"

#include <gtest/gtest.h>

#include "tests/graph/fake_op.h"

namespace bramble::graph {
namespace {

using test::fake;

struct TwoLayers {
  Graph graph;
  TensorId x = graph.add_tensor({"x", {{8}}, Role::input});
  TensorId first = graph.add_tensor({"first", {{8}}, Role::parameter});
  TensorId second = graph.add_tensor({"second", {{8}}, Role::parameter});
  TensorId a = graph.add_node(fake(), "a", {x, first})[0];
  TensorId b = graph.add_node(fake(), "b", {a, second})[0];
  TensorId dy = graph.add_tensor({"dy", {{8}}, Role::input});
};

TEST(Differentiation, BuildsNothingForFrozenParts) {
  TwoLayers net;
  const auto gradients = differentiate(net.graph, {{net.b, net.dy}}, {net.second});
  EXPECT_EQ(net.graph.nodes().size(), 3U);  // d second, and no gradient of a
  EXPECT_TRUE(gradients.contains(net.second));
  EXPECT_FALSE(gradients.contains(net.first));
}

TEST(Differentiation, NeverDifferentiatesInputs) {
  TwoLayers net;
  differentiate(net.graph, {{net.b, net.dy}}, {net.first, net.second});
  EXPECT_EQ(net.graph.nodes().size(), 5U);  // da, d second, d first; none for x
}

TEST(Differentiation, SumsWhatSeveralReadersContribute) {
  Graph graph;
  const TensorId parameter = graph.add_tensor({"p", {{8}}, Role::parameter});
  const TensorId a = graph.add_node(fake(), "a", {parameter})[0];
  const TensorId b = graph.add_node(fake(), "b", {parameter})[0];
  const TensorId sum = graph.add_node(fake(), "sum", {a, b})[0];
  const TensorId dy = graph.add_tensor({"dy", {{8}}, Role::input});
  const auto gradients = differentiate(graph, {{sum, dy}}, {parameter});
  EXPECT_EQ(graph.nodes().back().op->name(), "add");
  EXPECT_EQ(graph.nodes().back().outputs[0], gradients.at(parameter));
}

TEST(Differentiation, ReportsAGradientWhenAllReadersAreDifferentiated) {
  Graph graph;
  const TensorId shared = graph.add_tensor({"shared", {{8}}, Role::parameter});
  const TensorId a = graph.add_node(fake(), "a", {shared})[0];
  const TensorId b = graph.add_node(fake(), "b", {a, shared})[0];
  const TensorId dy = graph.add_tensor({"dy", {{8}}, Role::input});
  int calls = 0;
  differentiate(graph, {{b, dy}}, {shared}, [&](TensorId parameter, TensorId gradient) {
    ++calls;
    EXPECT_EQ(parameter, shared);
    EXPECT_EQ(graph.nodes().back().outputs[0], gradient);
    EXPECT_EQ(graph.nodes().back().op->name(), "add");
  });
  EXPECT_EQ(calls, 1);
}

TEST(Differentiation, LeavesOutWhatTheSeedDoesNotDependOn) {
  TwoLayers net;
  const TensorId unused = net.graph.add_tensor({"unused", {{8}}, Role::parameter});
  EXPECT_FALSE(differentiate(net.graph, {{net.b, net.dy}}, {net.first, unused}).contains(unused));
}

TEST(Graph, NamesTheLayerInAShapeError) {
  Graph graph;
  try {
    graph.add_node(fake(), "layer1.0.conv1", {kNoTensor});
    FAIL() << "no error";
  } catch (const GraphError& error) {
    EXPECT_STREQ(error.what(), "layer1.0.conv1 (fake): an input is needed");
  }
}

}  // namespace
}  // namespace bramble::graph
