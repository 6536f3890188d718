#include "graph/view_parts.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "graph/builder.h"
#include "graph/ops/concat.h"
#include "graph/training.h"

namespace bramble::graph {
namespace {

using Names = std::vector<std::string>;

/// A training step on what `between` makes of 12 channels of 16 x 16 pixels.
template <class Between>
Graph training_step(Between between) {
  Builder b({.batch = 2, .size = 16, .classes = 4});
  const TensorId y = between(b, b.conv2d("first", b.images(), 12, 1));
  return make_training_step(b.finish(b.linear("fc", b.global_avg_pool(b.relu(y)), 4)), {}).graph;
}

TensorId depthwise(Builder& b, const std::string& name, TensorId x) {
  return b.conv2d(name, x, static_cast<int>(b.channels(x)), 3,
                  {.padding = 1, .groups = static_cast<int>(b.channels(x))});
}

/// What each Split's outputs are, in the order of its nodes: "view at 4 of 12" or "copy".
Names parts(const Graph& graph) {
  Names all;
  for (const Node& node : graph.nodes()) {
    const auto* split = dynamic_cast<const Split*>(node.op.get());
    for (int o = 0; split && o < static_cast<int>(node.outputs.size()); ++o) {
      const TensorSpec& spec = graph.tensor(node.outputs[static_cast<std::size_t>(o)]).spec;
      EXPECT_EQ(spec.layout == Layout::part, split->is_view(o));
      all.push_back(split->is_view(o)
                        ? "view at " + std::to_string(split->view_offset(o)) + " of " + std::to_string(spec.row_pitch)
                        : "copy");
    }
  }
  return all;
}

TEST(ViewParts, AGhostModulesGradientIsNotCopied) {
  const Graph graph = training_step([](Builder& b, TensorId x) {
    const TensorId primary = b.relu(b.batchnorm("bn1", b.conv2d("pw", x, 5, 1)));
    const TensorId cheap = b.relu(b.batchnorm("bn2", depthwise(b, "dw", primary)));
    return b.concat({primary, cheap});
  });
  EXPECT_EQ(parts(graph), (Names{"view at 0 of 10", "view at 5 of 10"}));
}

TEST(ViewParts, DepthwiseBranchesReadTheirChannelsInPlaceBothWays) {
  const Graph graph = training_step([](Builder& b, TensorId x) {
    const auto branches = b.split(x, {6, 2, 4});
    return b.concat({branches[0], depthwise(b, "one", branches[1]), depthwise(b, "two", branches[2])});
  });
  const Names in_place = {"view at 0 of 12", "view at 6 of 12", "view at 8 of 12"};
  Names expected = in_place;
  expected.insert(expected.end(), in_place.begin(), in_place.end());
  EXPECT_EQ(parts(graph), expected);
}

TEST(ViewParts, WhatAnyOtherReaderTakesIsCopied) {
  const Graph graph = training_step([](Builder& b, TensorId x) {
    const auto branches = b.split(x, {6, 6});
    return b.add(b.conv2d("dense", branches[0], 6, 1), depthwise(b, "one", branches[1]));
  });
  EXPECT_EQ(parts(graph), (Names{"copy", "view at 6 of 12"}));
}

TEST(ViewParts, WhatTheCallerReadsIsCopied) {
  Graph kept;
  const TensorId x = kept.add_tensor({"x", {{3, 12}}, Role::input});
  const auto outputs = kept.add_node(std::make_shared<Split>(std::vector<std::int64_t>{4, 8}), "split", {x});
  kept.add_node(std::make_shared<Concat>(std::vector<std::int64_t>{8, 4}), "concat", {outputs[1], outputs[0]});
  kept.keep(outputs[0]);
  view_parts(kept);
  EXPECT_EQ(parts(kept), (Names{"copy", "view at 4 of 12"}));
}

}  // namespace
}  // namespace bramble::graph
