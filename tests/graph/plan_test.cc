#include "graph/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "tests/graph/fake_op.h"

namespace bramble::graph {
namespace {

using test::fake;
using Where = Placement::Where;

std::size_t bytes(const TensorSpec& spec) { return static_cast<std::size_t>(element_count(spec.shape)) * 4; }

struct Chain {
  Graph graph;
  TensorId last = graph.add_tensor({"x", {{1024}}, Role::input});

  TensorId then(OpPtr op) { return last = graph.add_node(std::move(op), "node", {last})[0]; }
  const Placement& placement(const Plan& plan, TensorId id) const {
    return plan.placements[static_cast<std::size_t>(id)];
  }
};

TEST(Plan, AChainAlternatesBetweenTwoBuffers) {
  Chain chain;
  for (int i = 0; i < 6; ++i) chain.then(fake());
  chain.graph.keep(chain.last);
  EXPECT_EQ(plan_memory(chain.graph, bytes).arena_bytes, 2 * 4096U);
}

TEST(Plan, AnOpInPlaceTakesOverWhatDies) {
  Chain chain;
  const TensorId a = chain.then(fake());
  const TensorId b = chain.then(fake({.in_place = true}));
  chain.then(fake());
  chain.graph.keep(chain.last);
  const Plan plan = plan_memory(chain.graph, bytes);
  EXPECT_EQ(chain.placement(plan, a).offset, chain.placement(plan, b).offset);
  EXPECT_EQ(plan.arena_bytes, 4096U);
}

TEST(Plan, AnOpInPlaceLeavesWhatIsReadLater) {
  Chain chain;
  const TensorId a = chain.then(fake());
  const TensorId b = chain.then(fake({.in_place = true}));
  chain.graph.keep(chain.graph.add_node(fake(), "late", {b, a})[0]);
  const Plan plan = plan_memory(chain.graph, bytes);
  EXPECT_NE(chain.placement(plan, a).offset, chain.placement(plan, b).offset);
}

TEST(Plan, AnOpInPlaceNeverOverwritesAnInput) {
  Chain chain;
  const TensorId a = chain.then(fake({.in_place = true}));
  chain.then(fake());
  chain.graph.keep(chain.last);
  const Plan plan = plan_memory(chain.graph, bytes);
  EXPECT_EQ(chain.placement(plan, a).where, Where::arena);
}

TEST(Plan, AViewKeepsItsSourceAlive) {
  Chain chain;
  const TensorId a = chain.then(fake());
  const TensorId view = chain.then(fake({.view = true}));
  const TensorId c = chain.graph.add_node(fake(), "other", {chain.graph.find("x")})[0];
  chain.graph.keep(chain.graph.add_node(fake(), "late", {view, c})[0]);
  const Plan plan = plan_memory(chain.graph, bytes);
  EXPECT_EQ(chain.placement(plan, a).offset, chain.placement(plan, view).offset);
  EXPECT_NE(chain.placement(plan, view).offset, chain.placement(plan, c).offset);
}

TEST(Plan, AViewOfAnInputHasNoMemoryOfItsOwn) {
  Chain chain;
  const TensorId input = chain.last;
  const TensorId view = chain.then(fake({.view = true}));
  const TensorId again = chain.then(fake({.view = true}));
  chain.then(fake());
  chain.graph.keep(chain.last);
  const Plan plan = plan_memory(chain.graph, bytes);
  for (const TensorId id : {view, again}) {
    EXPECT_EQ(chain.placement(plan, id).where, Where::view_of);
    EXPECT_EQ(chain.placement(plan, id).target, input);
  }
}

TEST(Plan, AKeptViewKeepsItsSource) {
  Chain chain;
  const TensorId a = chain.then(fake());
  const TensorId view = chain.then(fake({.view = true}));
  chain.graph.keep(view);
  const Plan plan = plan_memory(chain.graph, bytes);
  EXPECT_EQ(chain.placement(plan, a).where, Where::own);
  EXPECT_EQ(chain.placement(plan, view).where, Where::view_of);
  EXPECT_EQ(chain.placement(plan, view).target, a);
}

/// Turns the chain's last tensor, a view, into the part of its source's channels [32, 64) of 64.
void make_part(Chain& chain) {
  TensorSpec& spec = chain.graph.mutable_tensor(chain.last).spec;
  spec = {{16, 32}, DType::f32, Layout::part};
  spec.row_pitch = 64;
}

TEST(Plan, APartLiesWithinItsSourceAndKeepsItAlive) {
  Chain chain;
  const TensorId whole = chain.then(fake());
  const TensorId part = chain.then(fake({.view = true, .view_offset = 32}));
  make_part(chain);
  const TensorId other = chain.graph.add_node(fake(), "other", {chain.graph.find("x")})[0];
  chain.graph.keep(chain.graph.add_node(fake(), "late", {part, other})[0]);
  const Plan plan = plan_memory(chain.graph, bytes);
  EXPECT_EQ(chain.placement(plan, part).offset, chain.placement(plan, whole).offset + 32 * 4);
  EXPECT_NE(chain.placement(plan, other).offset, chain.placement(plan, whole).offset);
}

TEST(Plan, APartOfAnInputAndAPartOfThatAreWithinIt) {
  Chain chain;
  const TensorId input = chain.last;
  const TensorId part = chain.then(fake({.view = true, .view_offset = 32}));
  const TensorId smaller = chain.then(fake({.view = true, .view_offset = 5}));
  chain.then(fake());
  chain.graph.keep(chain.last);
  const Plan plan = plan_memory(chain.graph, bytes);
  for (const auto& [id, offset] : {std::pair{part, 32U}, {smaller, 37U}}) {
    EXPECT_EQ(chain.placement(plan, id).where, Where::view_of);
    EXPECT_EQ(chain.placement(plan, id).target, input);
    EXPECT_EQ(chain.placement(plan, id).offset, offset * 4);
  }
}

TEST(Plan, NobodyTakesOverAWholeOfWhichAPartIsReadLaterOrWithIt) {
  for (const bool later : {false, true}) {
    Chain chain;
    const TensorId whole = chain.then(fake());
    const TensorId part = chain.then(fake({.view = true, .view_offset = 32}));
    make_part(chain);
    const std::vector<TensorId> read = later ? std::vector{whole} : std::vector{whole, part};
    const TensorId y = chain.graph.add_node(fake({.in_place = true}), "in place", read)[0];
    chain.graph.keep(chain.graph.add_node(fake(), "late", later ? std::vector{y, part} : std::vector{y})[0]);
    const Plan plan = plan_memory(chain.graph, bytes);
    EXPECT_NE(chain.placement(plan, y).offset, chain.placement(plan, whole).offset) << later;
  }
}

TEST(Plan, NobodyTakesOverAPart) {
  Chain chain;
  const TensorId whole = chain.then(fake());
  const TensorId part = chain.then(fake({.view = true, .view_offset = 32}));
  make_part(chain);
  const TensorId y = chain.then(fake({.in_place = true}));
  chain.graph.mutable_tensor(y).spec = {{16, 32}};
  chain.then(fake());
  chain.graph.keep(chain.last);
  const Plan plan = plan_memory(chain.graph, bytes);
  EXPECT_EQ(chain.placement(plan, part).offset, chain.placement(plan, whole).offset + 32 * 4);
  EXPECT_GE(chain.placement(plan, y).offset, 4096U);
}

TEST(Plan, WhatNobodyReadsIsNowhere) {
  Chain chain;
  const std::vector<TensorId> outputs = chain.graph.add_node(fake({.outputs = 2}), "node", {chain.last});
  chain.graph.keep(chain.graph.add_node(fake(), "last", {outputs[0]})[0]);
  const Plan plan = plan_memory(chain.graph, bytes);
  EXPECT_EQ(chain.placement(plan, outputs[0]).where, Where::arena);
  EXPECT_EQ(chain.placement(plan, outputs[1]).where, Where::nowhere);
}

TEST(Plan, IsolatedTensorsShareNothing) {
  Chain chain;
  for (int i = 0; i < 5; ++i) chain.then(fake({.in_place = true}));
  chain.graph.keep(chain.last);
  EXPECT_EQ(plan_memory(chain.graph, bytes, false).arena_bytes, 4 * 4096U);
}

/// A net with skips of random length: whatever is alive at once must not overlap.
TEST(Plan, NothingAliveAtOnceOverlaps) {
  std::uint32_t random = 1;
  const auto next = [&random](std::uint32_t below) {
    return (random = random * 1664525U + 1013904223U) / 7919 % below;
  };
  Graph graph;
  std::vector<TensorId> made = {graph.add_tensor({"x", {{16}}, Role::input})};
  for (int i = 0; i < 200; ++i) {
    const TensorId from =
        made[made.size() - 1 - next(std::min<std::uint32_t>(5, static_cast<std::uint32_t>(made.size())))];
    made.push_back(graph.add_node(fake({.in_place = next(3) == 0}), "node", {from})[0]);
    graph.mutable_tensor(made.back()).spec.shape = {static_cast<std::int64_t>(16 + next(500))};
  }
  const Plan plan = plan_memory(graph, bytes);
  std::vector<int> last(graph.tensors().size(), -1);
  for (std::size_t i = 0; i < graph.nodes().size(); ++i)
    for (const TensorId id : graph.nodes()[i].inputs) last[static_cast<std::size_t>(id)] = static_cast<int>(i);
  for (std::size_t a = 1; a < graph.tensors().size(); ++a)
    for (std::size_t b = a + 1; b < graph.tensors().size(); ++b) {
      // Tensor k is made by node k - 1. b is written while a is still to be read by a later node.
      const Placement &pa = plan.placements[a], &pb = plan.placements[b];
      if (pa.where != Where::arena || pb.where != Where::arena || last[a] <= static_cast<int>(b) - 1) continue;
      const bool apart = pa.offset + bytes(graph.tensors()[a].spec) <= pb.offset ||
                         pb.offset + bytes(graph.tensors()[b].spec) <= pa.offset;
      EXPECT_TRUE(apart) << "tensors " << a << " and " << b;
    }
}

}  // namespace
}  // namespace bramble::graph
