// Winograd's binds: the rule by which layers take it, and what must hold of any node however many threads run it.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "engine/bind/convolution.h"
#include "engine/bind/winograd_conv2d.h"
#include "engine/thread_pool.h"
#include "graph/ops/conv2d.h"
#include "tests/support/random.h"

namespace bramble::engine {
namespace {

using kernels::Conv2dShape;

constexpr Conv2dShape shape_of(std::int64_t batch, std::int64_t size, std::int64_t channels) {
  return {batch, size, size, channels, channels, 3, 3, 1, 1, 1, 1};
}

// Both ways of each pass: a few tiles of all points at a time, and each point through memory.
constexpr Conv2dShape kInBlocks = shape_of(2, 21, 36);
constexpr Conv2dShape kThroughMemory{1, 27, 26, 220, 100, 3, 3, 1, 1, 1, 1};

struct Node {
  graph::OpPtr op;
  std::vector<graph::TensorSpec> inputs;
  std::vector<std::vector<float>> values;
  std::size_t output = 0;
};

enum class Pass { forward, frozen, by_data, by_weight };

Node make_node(const Conv2dShape& s, Pass pass) {
  graph::Conv2dAttributes attributes;
  attributes.out_channels = static_cast<int>(s.out_channels);
  attributes.kernel_h = attributes.kernel_w = 3;
  attributes.padding = static_cast<int>(s.padding);
  const graph::TensorSpec x{{s.batch, s.in_height, s.in_width, s.in_channels}};
  const graph::TensorSpec y{{s.batch, s.out_height(), s.out_width(), s.out_channels}};
  graph::TensorSpec weight{{s.out_channels, s.in_channels, 3, 3}};
  weight.layout = graph::Layout::gemm_weight;
  const auto x_size = static_cast<std::size_t>(s.batch * s.in_height * s.in_width * s.in_channels);
  const auto y_size = static_cast<std::size_t>(s.out_rows() * s.out_channels);
  const auto weight_size = static_cast<std::size_t>(kernels::packed_weight_elements(s.weight()));
  switch (pass) {
    case Pass::forward:
    case Pass::frozen:
      attributes.frozen = pass == Pass::frozen;
      return {std::make_shared<graph::Conv2d>(attributes),
              {x, weight},
              {test::uniform(x_size, 1), test::uniform(weight_size, 2)},
              y_size};
    case Pass::by_data:
      return {std::make_shared<graph::Conv2dBwdData>(attributes, x.shape),
              {y, weight},
              {test::uniform(y_size, 3), test::uniform(weight_size, 2)},
              x_size};
    default:
      return {std::make_shared<graph::Conv2dBwdWeight>(attributes, weight),
              {x, y},
              {test::uniform(x_size, 1), test::uniform(y_size, 3)},
              weight_size};
  }
}

// The same node bound to the direct products.
Bound bind_direct(const BindContext& context, const Conv2dShape& shape, Pass pass) {
  switch (pass) {
    case Pass::forward:
    case Pass::frozen:
      return bind_convolution(context, shape, graph::Activation::none);
    case Pass::by_data:
      return bind_convolution_bwd_data(context, shape);
    default:
      return bind_convolution_bwd_weight(context, shape);
  }
}

// bind(context) says how.
template <class Bind>
std::vector<float> run(Node node, int threads, Bind bind, std::vector<double>* sums = nullptr) {
  graph::Graph graph;
  std::vector<graph::TensorId> ids;
  for (const graph::TensorSpec& spec : node.inputs) {
    ids.push_back(graph.add_tensor({"input", spec, graph::Role::input}));
  }
  graph.add_node(node.op, "node", ids);
  const std::array<bool, 3> read = {true, false, sums != nullptr};
  const CacheSizes caches;
  const Bound bound = bind(BindContext(graph, graph.nodes().front(), caches, std::span(read.data(), 3)));
  std::vector<float> result(node.output), shared(bound.shared_scratch / sizeof(float) + 16);
  const std::size_t thread_floats = bound.thread_scratch / sizeof(float) + 16;
  std::vector<float> scratch(thread_floats * static_cast<std::size_t>(threads));
  std::vector<void*> inputs = {node.values[0].data(), node.values[1].data()};
  if (sums) {
    const graph::Shape& shape = graph.tensor(graph.nodes().front().outputs[2]).spec.shape;
    sums->assign(static_cast<std::size_t>(graph::element_count(shape)), 1e9);
  }
  std::vector<void*> outputs = {result.data(), nullptr, sums ? sums->data() : nullptr};
  ThreadPool pool(threads);
  for (const Phase& phase : bound.phases) {
    pool.run(phase.tasks, [&](std::int64_t task, int slot) {
      phase.run({inputs, outputs, reinterpret_cast<std::byte*>(shared.data())}, task,
                reinterpret_cast<std::byte*>(scratch.data() + thread_floats * static_cast<std::size_t>(slot)));
    });
  }
  return result;
}

class WinogradBind : public testing::TestWithParam<std::tuple<Conv2dShape, Pass>> {};

TEST_P(WinogradBind, ComputesTheConvolutionWithTheSameBitsForAnyNumberOfThreads) {
  const auto& [shape, pass] = GetParam();
  ASSERT_TRUE(winograd_fwd_tile(shape, false) && takes_winograd_bwd_data(shape) && takes_winograd_bwd_weight(shape));
  ASSERT_EQ(winograd_fwd_tile(shape, true), kernels::WinogradTile::four);
  const Node node = make_node(shape, pass);
  const auto bind = [&](const BindContext& context) { return find_bind(node.op->name())(context); };
  const std::vector<float> one = run(node, 1, bind);
  const std::vector<float> want =
      run(node, 1, [&](const BindContext& context) { return bind_direct(context, shape, pass); });
  for (std::size_t i = 0; i < one.size(); ++i) ASSERT_NEAR(one[i], want[i], 1e-3) << "at " << i;
  for (const int threads : {2, 3, 4}) {
    const std::vector<float> many = run(node, threads, bind);
    EXPECT_EQ(std::memcmp(one.data(), many.data(), one.size() * sizeof(float)), 0) << threads << " threads";
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, WinogradBind,
                         testing::Combine(testing::Values(kInBlocks, kThroughMemory),
                                          testing::Values(Pass::forward, Pass::frozen, Pass::by_data,
                                                          Pass::by_weight)));

TEST(WinogradBindForward, TakesTheChannelSumsOfWhatItWrites) {
  for (const auto& [shape, pass] : {std::pair{kInBlocks, Pass::forward},
                                    {kThroughMemory, Pass::forward},
                                    {kInBlocks, Pass::frozen},
                                    {kThroughMemory, Pass::frozen}}) {
    const Node node = make_node(shape, pass);
    std::vector<double> sums;
    const std::vector<float> y = run(
        node, 2, [&](const BindContext& context) { return find_bind(node.op->name())(context); }, &sums);
    const auto channels = static_cast<std::size_t>(shape.out_channels);
    std::vector<double> got(2 * channels), want(2 * channels);
    for (std::size_t i = 0; i < sums.size(); ++i) got[i % got.size()] += sums[i];
    for (std::size_t i = 0; i < y.size(); ++i) {
      const double value = y[i];
      want[i % channels] += value;
      want[channels + i % channels] += value * value;
    }
    for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], 1e-2 + 1e-5 * std::abs(want[i]));
  }
}

TEST(WinogradRule, TakesDenseThreeByThreeOfStrideOne) {
  const Conv2dShape good = shape_of(16, 56, 64);
  EXPECT_TRUE(winograd_fwd_tile(good, false) && takes_winograd_bwd_data(good) && takes_winograd_bwd_weight(good));
  Conv2dShape strided = good, wide = good, dilated = good, grouped = good, large = good, shallow = good;
  strided.stride = 2;
  wide.kernel_width = 5;
  dilated.dilation = 2;
  grouped.groups = 2;
  large.padding = 3;
  shallow.in_channels = 3;
  for (const Conv2dShape& bad : {strided, wide, dilated, grouped, large, shallow}) {
    EXPECT_FALSE(winograd_fwd_tile(bad, false) || winograd_fwd_tile(bad, true));
    EXPECT_FALSE(takes_winograd_bwd_data(bad) || takes_winograd_bwd_weight(bad));
  }
}

TEST(WinogradRule, LeavesLayersOfFewPixelsAndManyChannelsToDirectProducts) {
  const Conv2dShape one_image = shape_of(1, 7, 512), sixteen = shape_of(16, 7, 512);
  EXPECT_FALSE(winograd_fwd_tile(one_image, false) || winograd_fwd_tile(one_image, true));
  EXPECT_FALSE(takes_winograd_bwd_data(one_image) || takes_winograd_bwd_weight(one_image));
  EXPECT_TRUE(winograd_fwd_tile(sixteen, false) && takes_winograd_bwd_data(sixteen));
  EXPECT_TRUE(takes_winograd_bwd_weight(sixteen));
}

TEST(WinogradRule, TakesTheLargerTileForwardOnlyWhereNoGradientPasses) {
  EXPECT_EQ(winograd_fwd_tile(shape_of(16, 56, 64), false), kernels::WinogradTile::two);
  EXPECT_EQ(winograd_fwd_tile(shape_of(16, 56, 64), true), kernels::WinogradTile::four);
}

}  // namespace
}  // namespace bramble::engine
