#include "graph/fuse.h"

#include <gtest/gtest.h>

#include "graph/autodiff.h"
#include "graph/builder.h"
#include "graph/ops/add.h"
#include "graph/ops/batchnorm.h"
#include "graph/ops/conv2d.h"
#include "graph/ops/linear.h"
#include "tests/graph/fake_op.h"

namespace bramble::graph {
namespace {

std::vector<std::string> op_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes()) names.emplace_back(node.op->name());
  return names;
}

using Names = std::vector<std::string>;

struct Net {
  Builder b{ModelConfig{.batch = 2, .size = 8, .classes = 4}};
  TensorId images = b.images();

  Graph fused(TensorId result) {
    Graph graph = b.finish(result).graph;
    graph.keep(result);
    fuse_forward(graph);
    return graph;
  }
};

TEST(Fusion, AConvolutionTakesItsActivation) {
  Net net;
  const TensorId y = net.b.relu(net.b.conv2d("conv", net.images, 8, 3, {.padding = 1, .bias = true}));
  const Graph graph = net.fused(y);
  ASSERT_EQ(op_names(graph), Names{"conv2d"});
  EXPECT_EQ(dynamic_cast<const Conv2d&>(*graph.nodes()[0].op).attributes.activation, Activation::relu);
  EXPECT_EQ(graph.nodes()[0].outputs[0], y);
}

TEST(Fusion, BatchNormTakesTheShortcutAndTheActivationAfterBothAreThere) {
  Net net;
  const TensorId y = net.b.batchnorm("bn", net.b.conv2d("conv", net.images, 8, 1));
  const TensorId shortcut = net.b.batchnorm("down", net.b.conv2d("down_conv", net.images, 8, 1));
  const Graph graph = net.fused(net.b.relu(net.b.add(y, shortcut)));
  ASSERT_EQ(op_names(graph), (Names{"conv2d", "conv2d", "batchnorm", "batchnorm"}));
  const Node& last = graph.nodes().back();
  EXPECT_EQ(last.name, "bn");
  EXPECT_EQ(last.inputs.at(5), shortcut);
  EXPECT_EQ(dynamic_cast<const BatchNorm&>(*last.op).attributes.activation, Activation::relu);
}

TEST(Fusion, ALinearLayerTakesTheResidual) {
  Net net;
  const TensorId x = net.b.reshape(net.images, {2, 64, 3});
  const TensorId sum = net.b.add(x, net.b.linear("proj", x, 3));
  const Graph graph = net.fused(net.b.layernorm("norm", sum, 1e-6F));
  ASSERT_EQ(op_names(graph), (Names{"reshape", "linear", "layernorm"}));
  EXPECT_EQ(graph.nodes()[1].inputs.at(3), x);
}

TEST(Fusion, ALinearLayerTakesItsLayerScaleThenTheResidualAndTheGeluGradientGoesThroughIt) {
  Net net;
  const TensorId x = net.b.reshape(net.images, {2, 64, 3});
  const TensorId gamma = net.b.parameter("gamma", {3});
  const TensorId y = net.b.scale(net.b.linear("fc2", net.b.gelu(net.b.linear("fc1", x, 8)), 3), gamma);
  const TensorId sum = net.b.add(y, x);
  Graph graph = net.fused(sum);
  ASSERT_EQ(op_names(graph), (Names{"reshape", "linear", "linear"}));
  EXPECT_EQ(graph.nodes()[2].inputs.at(3), x);
  EXPECT_EQ(graph.nodes()[2].inputs.at(4), gamma);
  const TensorId z = graph.nodes()[1].outputs[1];
  const TensorId dy = graph.add_tensor({"dy", graph.tensor(sum).spec, Role::input});
  differentiate(graph, {{sum, dy}}, {graph.find("fc1.weight"), graph.find("fc2.weight"), gamma});
  fuse_gelu_gradients(graph);
  EXPECT_EQ(op_names(graph), (Names{"reshape", "linear", "linear", "linear_bwd_data", "linear_bwd_weight",
                                    "linear_scale_bwd", "linear_bwd_weight"}));
  EXPECT_EQ(graph.nodes()[3].inputs, (std::vector<TensorId>{dy, graph.find("fc2.weight"), kNoTensor, z, gamma}));
}

TEST(Fusion, APointwiseConvolutionWithALayerScaleIsALinearLayer) {
  Net net;
  const TensorId gamma = net.b.parameter("gamma", {3});
  const TensorId y = net.b.scale(net.b.conv2d("fc2", net.images, 3, 1, {.bias = true}), gamma);
  Graph graph = net.fused(net.b.add(y, net.images));
  ASSERT_EQ(op_names(graph), Names{"linear"});
  EXPECT_EQ(graph.nodes()[0].inputs.at(3), net.images);
  EXPECT_EQ(graph.nodes()[0].inputs.at(4), gamma);
  const TensorId weight = graph.find("fc2.weight"), result = graph.nodes()[0].outputs[0];
  const TensorId dy = graph.add_tensor({"dy", graph.tensor(result).spec, Role::input});
  const auto gradients = differentiate(graph, {{result, dy}}, {weight});
  EXPECT_EQ(graph.tensor(gradients.at(weight)).spec.shape, graph.tensor(weight).spec.shape);
}

TEST(Fusion, ASiluStaysApartFromABatchNormWithAResidual) {
  Net net;
  const TensorId y = net.b.batchnorm("bn", net.b.conv2d("conv", net.images, 3, 1));
  const Graph graph = net.fused(net.b.activation(net.b.add(y, net.images), Activation::silu));
  EXPECT_EQ(op_names(graph), (Names{"conv2d", "batchnorm", "activation"}));
}

TEST(Fusion, LayerNormTakesASumThatNothingElseCan) {
  Net net;
  const TensorId x = net.b.reshape(net.images, {2, 64, 3});
  const TensorId sum = net.b.add(x, net.b.reshape(net.images, {2, 64, 3}));
  const TensorId y = net.b.layernorm("norm", sum, 1e-6F);
  const Graph graph = net.fused(net.b.add(y, sum));
  ASSERT_EQ(op_names(graph), (Names{"reshape", "reshape", "layernorm", "add"}));
  EXPECT_EQ(graph.nodes()[2].outputs,
            (std::vector<TensorId>{y, graph.nodes()[2].outputs[1], graph.nodes()[2].outputs[2], sum}));
}

TEST(Fusion, LeavesAValueThatHasAnotherReader) {
  Net net;
  const TensorId conv = net.b.conv2d("conv", net.images, 3, 1);
  const Graph graph = net.fused(net.b.add(net.b.relu(conv), conv));
  EXPECT_EQ(op_names(graph), (Names{"conv2d", "activation", "add"}));
}

TEST(Fusion, LeavesAValueThatIsKept) {
  Net net;
  const TensorId conv = net.b.conv2d("conv", net.images, 3, 1);
  Graph graph = net.b.finish(net.b.relu(conv)).graph;
  graph.keep(conv);
  fuse_forward(graph);
  EXPECT_EQ(op_names(graph), (Names{"conv2d", "activation"}));
}

TEST(Fusion, SumsOfGradientsGoIntoTheProductThatComesLater) {
  Net net;
  const TensorId stem = net.b.conv2d("stem", net.images, 8, 1);
  const TensorId y = net.b.add(net.b.conv2d("conv", stem, 8, 1), stem);
  Graph graph = net.b.finish(y).graph;
  fuse_forward(graph);
  const TensorId dy = graph.add_tensor({"dy", graph.tensor(y).spec, Role::input});
  differentiate(graph, {{y, dy}}, {graph.find("stem.weight"), graph.find("conv.weight")});
  fuse_gradient_sums(graph);
  EXPECT_EQ(op_names(graph), (Names{"conv2d", "conv2d", "pointwise_conv2d_bwd", "conv2d_bwd_weight"}));
  EXPECT_EQ(graph.nodes()[2].inputs.at(3), dy);
  EXPECT_EQ(graph.nodes()[3].inputs.at(1), graph.nodes()[2].outputs[0]);
}

TEST(Fusion, SumsOfGradientsGoIntoADepthwiseConvolutions) {
  Net net;
  const TensorId stem = net.b.conv2d("stem", net.images, 8, 1);
  const TensorId y = net.b.add(net.b.conv2d("dw", stem, 8, 3, {.padding = 1, .groups = 8}), stem);
  Graph graph = net.b.finish(y).graph;
  const TensorId dy = graph.add_tensor({"dy", graph.tensor(y).spec, Role::input});
  differentiate(graph, {{y, dy}}, {graph.find("stem.weight"), graph.find("dw.weight")});
  fuse_gradient_sums(graph);
  EXPECT_EQ(op_names(graph), (Names{"conv2d", "depthwise_conv2d", "add", "depthwise_conv2d_bwd", "conv2d_bwd_weight"}));
  const Node& backward = graph.nodes()[3];
  EXPECT_EQ(backward.inputs.at(8), dy);
  EXPECT_EQ(graph.nodes()[4].inputs.at(1), backward.outputs[0]);
}

TEST(Fusion, AGeluGradientGoesIntoTheProductBeforeItAndStaysAheadOfTheUpdate) {
  Net net;
  const TensorId x = net.b.reshape(net.images, {2, 64, 3});
  const TensorId y = net.b.linear("fc2", net.b.gelu(net.b.linear("fc1", x, 8)), 4);
  Graph graph = net.b.finish(y).graph;
  fuse_forward(graph);
  const TensorId z = graph.nodes()[1].outputs[1];
  const TensorId dy = graph.add_tensor({"dy", graph.tensor(y).spec, Role::input});
  differentiate(graph, {{y, dy}}, {graph.find("fc1.weight"), graph.find("fc2.weight")});
  fuse_gelu_gradients(graph);
  EXPECT_EQ(op_names(graph),
            (Names{"reshape", "linear", "linear", "linear_bwd_data", "linear_bwd_weight", "linear_bwd_weight"}));
  const Node& by_data = graph.nodes()[3];
  EXPECT_EQ(by_data.inputs, (std::vector<TensorId>{dy, graph.find("fc2.weight"), kNoTensor, z}));
  EXPECT_EQ(graph.nodes()[5].inputs.at(1), by_data.outputs[0]);
  EXPECT_EQ(by_data.op->addend_input(), -1);
}

}  // namespace
}  // namespace bramble::graph
