#include "graph/builder.h"

#include <gtest/gtest.h>

#include <vector>

namespace bramble::graph {
namespace {

std::vector<std::string> parameter_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const Tensor& tensor : graph.tensors())
    if (tensor.role == Role::parameter) names.push_back(tensor.name);
  return names;
}

TEST(Builder, ParametersMoveToTheEndAndStayTheirLayers) {
  Builder b({.batch = 2, .size = 4, .classes = 3});
  TensorId x = b.conv2d("tokenizer", b.images(), 8, 1, {.bias = true});
  x = b.linear("head", b.global_avg_pool(b.layernorm("norm", x, 1e-5F)), 3);
  b.move_parameters_to_end("tokenizer.");
  b.move_parameters_to_end("norm.");
  const Model model = b.finish(x);
  EXPECT_EQ(parameter_names(model.graph), (std::vector<std::string>{"head.weight", "head.bias", "tokenizer.weight",
                                                                    "tokenizer.bias", "norm.weight", "norm.bias"}));
  for (const Node& node : model.graph.nodes())
    if (node.inputs.size() > 1) {
      EXPECT_EQ(model.graph.tensor(node.inputs[1]).name, node.name + ".weight");
    }
  EXPECT_EQ(model.graph.tensor(model.logits).spec.shape, (Shape{2, 3}));
}

TEST(Builder, SamePaddingHasAnOutputForEachStride) {
  for (const int size : {8, 9}) {
    Builder b({.batch = 1, .size = size, .classes = 3});
    const TensorId x = b.images();
    for (const int stride : {1, 2, 3})
      for (const int kernel : {1, 2, 3, 5}) {
        const std::int64_t out = (size + stride - 1) / stride;
        const std::string name = std::to_string(stride) + "." + std::to_string(kernel);
        EXPECT_EQ(b.shape(b.conv2d(name, x, 6, kernel, {.stride = stride, .same = true})), (Shape{1, out, out, 6}));
      }
  }
}

TEST(Builder, SeveralChannelsOfEachAreADepthwiseConvolutionOfRepeatedOnes) {
  Builder b({.batch = 1, .size = 8, .classes = 3});
  const TensorId x = b.conv2d("stem", b.images(), 6, 1);
  const TensorId large = b.conv2d("large", x, 12, 5, {.stride = 2, .padding = 2, .groups = 6});
  const TensorId small = b.conv2d("small", x, 12, 3, {.stride = 2, .padding = 1, .groups = 6});
  EXPECT_EQ(b.shape(large), (Shape{1, 4, 4, 12}));
  const Model model = b.finish(b.linear("head", b.global_avg_pool(b.add(large, small)), 3));
  int repeats = 0, depthwise = 0;
  for (const Node& node : model.graph.nodes()) {
    repeats += node.op->name() == "repeat_interleave";
    if (node.op->name() != "depthwise_conv2d") continue;
    ++depthwise;
    const int kernel = node.name == "large" ? 5 : 3;
    EXPECT_EQ(model.graph.tensor(node.inputs[1]).spec.shape, (Shape{12, 1, kernel, kernel}));
  }
  EXPECT_EQ(repeats, 1);
  EXPECT_EQ(depthwise, 2);
}

}  // namespace
}  // namespace bramble::graph
