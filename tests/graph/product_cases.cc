// Layers that multiply: convolutions, linear layers.
#include <memory>
#include <vector>

#include "graph/activation.h"
#include "graph/ops/add.h"
#include "graph/ops/conv2d.h"
#include "graph/ops/depthwise_conv2d.h"
#include "graph/ops/linear.h"
#include "tests/graph/gradient_cases.h"

namespace bramble::test {
namespace {

using graph::Activation;
using graph::Layout;
using graph::TensorId;
using Builder = GradientCaseBuilder;

struct ConvolutionCase {
  graph::Shape x;
  graph::Conv2dAttributes attributes;
  bool bias = false;
  bool residual = false;
};

auto convolution(const ConvolutionCase& c) {
  return [c](Builder& b) {
    const graph::Conv2dAttributes& a = c.attributes;
    std::vector<TensorId> inputs = {
        b.parameter(c.x),
        b.weight({a.out_channels, c.x[3] / a.groups, a.kernel_h, a.kernel_w}, Layout::gemm_weight, a.groups)};
    inputs.push_back(c.bias ? b.parameter({a.out_channels}) : graph::kNoTensor);
    const auto op = std::make_shared<graph::Conv2d>(a);
    if (c.residual) {
      std::vector<graph::TensorSpec> specs = {b.graph.tensor(inputs[0]).spec, b.graph.tensor(inputs[1]).spec};
      inputs.push_back(b.parameter(op->infer(specs)[0].shape));
    }
    return b.node(op, inputs)[0];
  };
}

auto linear(graph::Shape x, int out, Activation activation, bool residual) {
  return [=](Builder& b) {
    std::vector<TensorId> inputs = {b.parameter(x), b.weight({out, x.back()}, Layout::gemm_weight), b.parameter({out})};
    graph::Shape y = x;
    y.back() = out;
    if (residual) inputs.push_back(b.parameter(y));
    return b.node(std::make_shared<graph::Linear>(graph::LinearAttributes{out, activation}), inputs)[0];
  };
}

/// Two layers with a gelu between.
auto mlp(graph::Shape x, int hidden, int out) {
  return [=](Builder& b) {
    const auto layer = [&](TensorId input, int in, int features, Activation activation) {
      return b.node(std::make_shared<graph::Linear>(graph::LinearAttributes{features, activation}),
                    {input, b.weight({features, in}, Layout::gemm_weight), b.parameter({features})})[0];
    };
    const int in = static_cast<int>(x.back());
    return layer(layer(b.parameter(x), in, hidden, Activation::gelu), hidden, out, Activation::none);
  };
}

/// A layer that carries a layer scale and the residual: ConvNeXt's second.
auto scaled_linear(graph::Shape x, int out, bool bias) {
  return [=](Builder& b) {
    graph::Shape y = x;
    y.back() = out;
    const TensorId input = b.parameter(x), weight = b.weight({out, x.back()}, Layout::gemm_weight);
    const TensorId term = bias ? b.parameter({out}) : graph::kNoTensor;
    return b.node(std::make_shared<graph::Linear>(graph::LinearAttributes{out}),
                  {input, weight, term, b.parameter(y), b.parameter({out}, 0.5F, 1.5F)})[0];
  };
}

auto depthwise(graph::Shape x, const graph::DepthwiseConv2dAttributes& attributes, bool bias, bool residual = false) {
  return [=](Builder& b) {
    std::vector<TensorId> inputs = {
        b.parameter(x), b.weight({x[3], 1, attributes.kernel_h, attributes.kernel_w}, Layout::depthwise_weight)};
    if (bias) inputs.push_back(b.parameter({x[3]}));
    const TensorId y = b.node(std::make_shared<graph::DepthwiseConv2d>(attributes), inputs)[0];
    return residual ? b.node(std::make_shared<graph::Add>(), {y, inputs[0]})[0] : y;
  };
}

}  // namespace

std::vector<GradientCase> product_cases() {
  return {
      {"conv2d_1x1", convolution({{2, 5, 5, 8}, {.out_channels = 12}})},
      {"conv2d_3x3",
       convolution({{2, 7, 6, 5}, {.out_channels = 7, .kernel_h = 3, .kernel_w = 3, .padding = 1}, true})},
      {"conv2d_winograd",
       convolution({{2, 9, 10, 20}, {.out_channels = 24, .kernel_h = 3, .kernel_w = 3, .padding = 1}, true})},
      {"conv2d_stride_2",
       convolution({{1, 9, 8, 3}, {.out_channels = 16, .kernel_h = 7, .kernel_w = 7, .stride = 2, .padding = 3}})},
      {"conv2d_same",
       convolution(
           {{2, 8, 8, 5}, {.out_channels = 9, .kernel_h = 3, .kernel_w = 3, .stride = 2, .extra_padding = 1}, true})},
      {"conv2d_1x1_stride_2", convolution({{2, 7, 7, 8}, {.out_channels = 9, .stride = 2}})},
      {"conv2d_1x1_large_weight", convolution({{2, 5, 5, 520}, {.out_channels = 516}})},
      {"conv2d_1x1_stride_2_large_weight", convolution({{2, 7, 7, 520}, {.out_channels = 516, .stride = 2}})},
      {"conv2d_dilated",
       convolution({{1, 9, 9, 4}, {.out_channels = 8, .kernel_h = 3, .kernel_w = 3, .padding = 2, .dilation = 2}})},
      {"conv2d_grouped",
       convolution(
           {{2, 6, 6, 12}, {.out_channels = 8, .kernel_h = 3, .kernel_w = 3, .padding = 1, .groups = 4}, true})},
      {"conv2d_patches",
       convolution({{2, 8, 8, 3}, {.out_channels = 16, .kernel_h = 4, .kernel_w = 4, .stride = 4}, true})},
      {"conv2d_residual_relu",
       convolution({{2, 6, 6, 4},
                    {.out_channels = 8, .kernel_h = 3, .kernel_w = 3, .padding = 1, .activation = Activation::relu},
                    true,
                    true}),
       2e-4F, 2e-2},
      {"conv2d_gelu", convolution({{1, 5, 5, 4}, {.out_channels = 8, .activation = Activation::gelu}, true})},
      {"conv2d_hard_swish",
       convolution({{1, 5, 5, 4}, {.out_channels = 8, .activation = Activation::hard_swish}, true}), 2e-4F, 2e-2},
      {"linear", linear({9, 10}, 13, Activation::none, false)},
      {"linear_tokens_residual", linear({2, 5, 12}, 24, Activation::none, true)},
      {"linear_large_weight", linear({9, 700}, 390, Activation::none, false)},
      {"linear_gelu", linear({2, 7, 16}, 8, Activation::gelu, false)},
      {"linear_mlp", mlp({2, 7, 16}, 40, 12)},
      {"linear_mlp_spread_rows", mlp({2, 7, 16}, 128, 24)},
      {"linear_mlp_large_weights", mlp({9, 400}, 768, 392)},
      {"linear_scaled", scaled_linear({2, 7, 16}, 40, true)},
      {"linear_scaled_large_weight", scaled_linear({9, 390}, 700, true)},
      {"linear_scaled_without_bias", scaled_linear({3, 3, 13}, 7, false)},
      {"linear_sigmoid", linear({2, 7, 16}, 8, Activation::sigmoid, true)},
      {"depthwise_3x3", depthwise({2, 7, 6, 12}, {.kernel_h = 3, .kernel_w = 3, .padding = 1}, false)},
      {"depthwise_3x3_stride_2",
       depthwise({2, 9, 8, 7}, {.kernel_h = 3, .kernel_w = 3, .stride = 2, .padding = 1}, true)},
      {"depthwise_5x5", depthwise({1, 12, 11, 8}, {.kernel_h = 5, .kernel_w = 5, .padding = 2}, true)},
      {"depthwise_5x5_stride_2",
       depthwise({1, 12, 11, 8}, {.kernel_h = 5, .kernel_w = 5, .stride = 2, .padding = 2}, false)},
      {"depthwise_1x7_dilated",
       depthwise({1, 3, 20, 4}, {.kernel_h = 1, .kernel_w = 7, .padding = 0, .dilation = 2}, false)},
      {"depthwise_same",
       depthwise({2, 8, 10, 7}, {.kernel_h = 3, .kernel_w = 3, .stride = 2, .padding = 0, .extra_padding = 1}, false)},
      {"depthwise_1x11", depthwise({2, 4, 14, 8}, {.kernel_h = 1, .kernel_w = 11, .padding = {0, 5}}, true)},
      {"depthwise_11x1", depthwise({2, 14, 5, 6}, {.kernel_h = 11, .kernel_w = 1, .padding = {5, 0}}, true)},
      {"depthwise_7x7_stride_2",
       depthwise({1, 13, 14, 5}, {.kernel_h = 7, .kernel_w = 7, .stride = 2, .padding = 3}, false)},
      {"depthwise_residual",
       depthwise({2, 9, 8, 7}, {.kernel_h = 3, .kernel_w = 3, .padding = 1}, false, true)},
      {"depthwise_residual_7x7",
       depthwise({1, 12, 13, 20}, {.kernel_h = 7, .kernel_w = 7, .padding = 3}, true, true)},
      {"depthwise_11x11", depthwise({1, 12, 13, 4}, {.kernel_h = 11, .kernel_w = 11, .padding = 5}, false)},
  };
}

}  // namespace bramble::test
