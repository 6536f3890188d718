// One row an op: its derivative against finite differences, and the same bits for any number of threads.
#include "tests/graph/gradient_check.h"

#include <gtest/gtest.h>

#include "graph/activation.h"
#include "graph/ops/activation.h"
#include "graph/ops/add.h"
#include "graph/ops/attention.h"
#include "graph/ops/batchnorm.h"
#include "graph/ops/batchnorm_sum.h"
#include "graph/ops/bias.h"
#include "graph/ops/concat.h"
#include "graph/ops/conv2d.h"
#include "graph/ops/cross_covariance_attention.h"
#include "graph/ops/depthwise_conv2d.h"
#include "graph/ops/dropout.h"
#include "graph/ops/gate.h"
#include "graph/ops/gather_tokens.h"
#include "graph/ops/groupnorm.h"
#include "graph/ops/layernorm.h"
#include "graph/ops/linear.h"
#include "graph/ops/linear_attention.h"
#include "graph/ops/pool.h"
#include "graph/ops/pool_mixer.h"
#include "graph/ops/relative_position_bias.h"
#include "graph/ops/reshape.h"
#include "graph/ops/resize.h"
#include "graph/ops/scale.h"
#include "graph/ops/separable_attention.h"
#include "graph/ops/softmax_cross_entropy.h"
#include "graph/ops/squeeze_excite.h"
#include "graph/ops/token.h"
#include "graph/ops/transpose.h"

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

auto depthwise(graph::Shape x, const graph::DepthwiseConv2dAttributes& attributes, bool bias) {
  return [=](Builder& b) {
    std::vector<TensorId> inputs = {
        b.parameter(x), b.weight({x[3], 1, attributes.kernel_h, attributes.kernel_w}, Layout::depthwise_weight)};
    if (bias) inputs.push_back(b.parameter({x[3]}));
    return b.node(std::make_shared<graph::DepthwiseConv2d>(attributes), inputs)[0];
  };
}

auto batchnorm(graph::Shape x, const graph::BatchNormAttributes& attributes, bool residual) {
  return [=](Builder& b) {
    const std::int64_t channels = x.back();
    std::vector<TensorId> inputs = {b.parameter(x), b.parameter({channels}, 0.5F, 1.5F), b.parameter({channels}),
                                    b.buffer({channels}, 0.1F), b.buffer({channels}, 0.6F)};
    if (residual) inputs.push_back(b.parameter(x));
    return b.node(std::make_shared<graph::BatchNorm>(attributes), inputs)[0];
  };
}

struct SumCase {
  graph::Shape x;
  graph::BatchNormSumAttributes attributes;
  std::vector<bool> weights;  ///< which branches have one
  bool residual = false;      ///< the first branch's x
  bool layer_scale = false;
};

/// Branches of the same leader read the same x; one more is a convolution's output, which comes with its sums.
auto batchnorm_sum(const SumCase& c) {
  return [c](Builder& b) {
    const std::int64_t channels = c.x.back();
    std::vector<TensorId> xs, inputs = {graph::kNoTensor, graph::kNoTensor};
    for (std::size_t k = 0; k < c.attributes.branches.size(); ++k) {
      const auto leader = static_cast<std::size_t>(c.attributes.branches[k].leader);
      if (leader < k)
        xs.push_back(xs[leader]);
      else if (k == 0)
        xs.push_back(b.parameter(c.x, -1, 1.5F));
      else
        xs.push_back(b.node(std::make_shared<graph::DepthwiseConv2d>(graph::DepthwiseConv2dAttributes{}),
                            {xs[0], b.weight({channels, 1, 3, 3}, Layout::depthwise_weight)})[0]);
      inputs.insert(inputs.end(), {xs[k], b.parameter({channels}, 0.5F, 1.5F), b.parameter({channels}),
                                   b.buffer({channels}, 0.1F * static_cast<float>(k)), b.buffer({channels}, 0.6F)});
      inputs.push_back(c.weights[k] ? b.parameter({channels, 1, 1, 1}, 0.5F, 1.5F) : graph::kNoTensor);
      if (c.weights[k]) b.graph.mutable_tensor(inputs.back()).spec.layout = Layout::depthwise_weight;
      inputs.push_back(graph::kNoTensor);
    }
    if (c.residual) inputs[0] = xs[0];
    if (c.layer_scale) inputs[1] = b.parameter({channels}, 0.5F, 1.5F);
    return b.node(std::make_shared<graph::BatchNormSum>(c.attributes), inputs)[0];
  };
}

/// The chain that MobileNets are made of: all of a BatchNorm's passes but one go to the convolutions beside it.
auto between_convolutions(graph::Shape x, int channels, const graph::DepthwiseConv2dAttributes& depthwise,
                          Activation activation, bool training = true, int out = 7) {
  return [=](Builder& b) {
    const auto norm = [&](TensorId y, Activation kind) {
      const std::int64_t c = b.graph.tensor(y).spec.shape.back();
      return b.node(
          std::make_shared<graph::BatchNorm>(graph::BatchNormAttributes{.training = training, .activation = kind}),
          {y, b.parameter({c}, 0.5F, 1.5F), b.parameter({c}), b.buffer({c}, 0.1F), b.buffer({c}, 0.6F)})[0];
    };
    const auto pointwise = [&](TensorId y, int to) {
      const std::int64_t c = b.graph.tensor(y).spec.shape.back();
      return b.node(std::make_shared<graph::Conv2d>(graph::Conv2dAttributes{.out_channels = to}),
                    {y, b.weight({to, c, 1, 1}, Layout::gemm_weight)})[0];
    };
    TensorId y = norm(pointwise(b.parameter(x), channels), activation);
    const TensorId weight = b.weight({channels, 1, depthwise.kernel_h, depthwise.kernel_w}, Layout::depthwise_weight);
    y = norm(b.node(std::make_shared<graph::DepthwiseConv2d>(depthwise), {y, weight})[0], activation);
    return pointwise(y, out);
  };
}

std::vector<TensorId> squeeze_excite_inputs(Builder& b, TensorId x, int reduced) {
  const std::int64_t c = b.graph.tensor(x).spec.shape.back();
  return {x, b.weight({reduced, c, 1, 1}, Layout::gemm_weight), b.parameter({reduced}),
          b.weight({c, reduced, 1, 1}, Layout::gemm_weight), b.parameter({c})};
}

auto squeeze_excite(graph::Shape x, const graph::SqueezeExciteAttributes& attributes) {
  return [=](Builder& b) {
    return b.node(std::make_shared<graph::SqueezeExcite>(attributes),
                  squeeze_excite_inputs(b, b.parameter(x), attributes.reduced))[0];
  };
}

/// As in MobileNets, where the BatchNorm before it leaves its output, and its backward's sums, to squeeze-excite.
auto squeeze_excite_between(graph::Shape x, const graph::SqueezeExciteAttributes& attributes, Activation activation,
                            bool training = true) {
  return [=](Builder& b) {
    const std::int64_t c = x.back();
    const TensorId weight = b.weight({c, 1, 3, 3}, Layout::depthwise_weight);
    TensorId y = b.node(std::make_shared<graph::DepthwiseConv2d>(graph::DepthwiseConv2dAttributes{}),
                        {b.parameter(x), weight})[0];
    y = b.node(
        std::make_shared<graph::BatchNorm>(graph::BatchNormAttributes{.training = training, .activation = activation}),
        {y, b.parameter({c}, 0.5F, 1.5F), b.parameter({c}), b.buffer({c}, 0.1F), b.buffer({c}, 0.6F)})[0];
    y = b.node(std::make_shared<graph::SqueezeExcite>(attributes), squeeze_excite_inputs(b, y, attributes.reduced))[0];
    return b.node(std::make_shared<graph::Conv2d>(graph::Conv2dAttributes{.out_channels = 7}),
                  {y, b.weight({7, c, 1, 1}, Layout::gemm_weight)})[0];
  };
}

/// With a residual the sum is read further on too, so that two gradients reach it.
auto layernorm(graph::Shape x, bool residual) {
  return [=](Builder& b) {
    const std::int64_t channels = x.back();
    std::vector<TensorId> inputs = {b.parameter(x), b.parameter({channels}, 0.5F, 1.5F), b.parameter({channels})};
    if (residual) inputs.push_back(b.parameter(x));
    const auto outputs = b.node(std::make_shared<graph::LayerNorm>(graph::LayerNormAttributes{1e-5F}), inputs);
    return residual ? b.node(std::make_shared<graph::Add>(), {outputs[0], outputs[3]})[0] : outputs[0];
  };
}

/// The input is read further on too, so that two gradients reach it.
auto groupnorm(graph::Shape x, int groups) {
  return [=](Builder& b) {
    const std::int64_t channels = x.back();
    const TensorId input = b.parameter(x), gamma = b.parameter({channels}, 0.5F, 1.5F), beta = b.parameter({channels});
    const auto op = std::make_shared<graph::GroupNorm>(graph::GroupNormAttributes{.groups = groups});
    return b.node(std::make_shared<graph::Add>(), {b.node(op, {input, gamma, beta})[0], input})[0];
  };
}

/// Values that keep their distance from a kink at 0.
auto activation(Activation kind, float scale) {
  return [=](Builder& b) {
    return b.node(std::make_shared<graph::ActivationOp>(kind), {b.parameter({3, 37}, -scale, scale, 0.05F)})[0];
  };
}

template <class Op>
auto of_one_input(std::shared_ptr<const Op> op, graph::Shape x) {
  return [=](Builder& b) { return b.node(op, {b.parameter(x)})[0]; };
}

template <class Op>
auto of_two_inputs(std::shared_ptr<const Op> op, graph::Shape first, graph::Shape second) {
  return [=](Builder& b) {
    const TensorId a = b.parameter(first);
    return b.node(op, {a, b.parameter(second)})[0];
  };
}

/// Of step 0, the first of the labels.
auto dropout(graph::Shape x, float rate) {
  return [=](Builder& b) {
    const auto op = std::make_shared<graph::Dropout>(graph::DropAttributes{rate, 1, 2});
    const TensorId input = b.parameter(x);
    return b.node(op, {input, b.labels(1, 1)})[0];
  };
}

auto drop_path(graph::Shape x, bool addend) {
  return [=](Builder& b) {
    std::vector<TensorId> inputs = {b.parameter(x), b.labels(1, 1)};
    if (addend) inputs.push_back(b.parameter(x));
    return b.node(std::make_shared<graph::DropPath>(graph::DropAttributes{0.4F, 1, 2}), inputs)[0];
  };
}

/// A view lies in its input's memory: something has to read it.
auto reshape(graph::Shape from, graph::Shape to) {
  return [=](Builder& b) {
    const TensorId view = b.node(std::make_shared<graph::Reshape>(to), {b.parameter(from)})[0];
    return b.node(std::make_shared<graph::Bias>(), {view, b.parameter({to.back()})})[0];
  };
}

/// One part twice, so that gradients add up, one not at all.
auto split_and_concat(graph::Shape x, std::vector<std::int64_t> sizes) {
  return [=](Builder& b) {
    const auto parts = b.node(std::make_shared<graph::Split>(sizes), {b.parameter(x)});
    const auto concat = std::make_shared<graph::Concat>(std::vector<std::int64_t>{sizes[2], 5, sizes[0], sizes[2]});
    graph::Shape other = x;
    other.back() = 5;
    return b.node(concat, {parts[2], b.parameter(other), parts[0], parts[2]})[0];
  };
}

auto biased_attention(graph::Shape qkv, const graph::AttentionAttributes& attributes) {
  return [=](Builder& b) {
    const TensorId x = b.parameter(qkv);
    return b.node(std::make_shared<graph::Attention>(attributes),
                  {x, b.parameter(graph::AttentionSizes(attributes, qkv).bias_shape())})[0];
  };
}

/// In windows, its bias out of a table: as Swin, with [entries, heads], and MaxViT have it.
auto window_attention(graph::Shape qkv, int heads, const graph::WindowPartition& partition, bool heads_first) {
  return [=](Builder& b) {
    const std::int64_t entries = 7, length = partition.window * partition.window;
    graph::RelativePositionAttributes positions{.length = length, .index = {}, .heads_first = heads_first, .factor = 2};
    for (std::int64_t i = 0; i < length * length; ++i)
      positions.index.push_back(static_cast<std::int32_t>(i * i % 11 % (entries + 1)) - 1);
    const TensorId x = b.parameter(qkv);
    const TensorId table = b.parameter(heads_first ? graph::Shape{heads, entries} : graph::Shape{entries, heads});
    const TensorId bias = b.node(std::make_shared<graph::RelativePositionBias>(positions), {table})[0];
    const graph::AttentionAttributes attributes{.heads = heads, .partition = partition};
    return b.node(std::make_shared<graph::Attention>(attributes), {x, bias})[0];
  };
}

/// Tokens of two sequences, one of them in two places, two of them summed, a place that gets none.
auto gather_tokens() {
  return [](Builder& b) {
    graph::TokenLists lists;
    for (const auto& list : {std::initializer_list<std::int32_t>{3}, {6}, {}, {0}, {3}, {2, 5}}) lists.add(list);
    const TensorId x = b.parameter({3, 4, 9});
    return b.node(std::make_shared<graph::GatherTokens>(lists), {x, b.parameter({3, 3, 9})})[0];
  };
}

auto cross_entropy(float label_smoothing) {
  return [=](Builder& b) {
    const graph::SoftmaxCrossEntropyAttributes attributes{label_smoothing};
    return b.node(std::make_shared<graph::SoftmaxCrossEntropy>(attributes),
                  {b.parameter({6, 11}, -3, 3), b.labels(6, 11)})[0];
  };
}

/// Two labels an image, one of them the same twice.
auto mixed_cross_entropy(float label_smoothing, float share) {
  return [=](Builder& b) {
    const graph::SoftmaxCrossEntropyAttributes attributes{label_smoothing};
    return b.node(std::make_shared<graph::SoftmaxCrossEntropy>(attributes),
                  {b.parameter({6, 11}, -3, 3), b.labels(6, 11), b.labels(6, 4), b.buffer({6}, share)})[0];
  };
}

/// Queries and keys that keep their distance from ReLU's kink.
auto linear_attention(graph::Shape qkv, int head_dim, int scales) {
  return [=](Builder& b) {
    std::vector<TensorId> inputs;
    for (int i = 0; i < scales; ++i) inputs.push_back(b.parameter(qkv, -1, 1, 0.05F));
    return b.node(std::make_shared<graph::LinearAttention>(graph::LinearAttentionAttributes{head_dim, 1e-2F}),
                  inputs)[0];
  };
}

auto separable_attention(graph::Shape qkv) {
  return [=](Builder& b) {
    return b.node(std::make_shared<graph::SeparableAttention>(graph::SeparableAttentionAttributes{}),
                  {b.parameter(qkv, -1, 1, 0.02F)})[0];
  };
}

auto cross_covariance_attention(graph::Shape qkv, int heads) {
  return [=](Builder& b) {
    const auto op = std::make_shared<graph::CrossCovarianceAttention>(graph::CrossCovarianceAttentionAttributes{heads});
    const TensorId input = b.parameter(qkv);
    return b.node(op, {input, b.parameter({heads, 1, 1}, 0.5F, 4)})[0];
  };
}

const std::vector<GradientCase>& cases() {
  static const std::vector<GradientCase> all = {
      {"conv2d_1x1", convolution({{2, 5, 5, 8}, {.out_channels = 12}})},
      {"conv2d_3x3",
       convolution({{2, 7, 6, 5}, {.out_channels = 7, .kernel_h = 3, .kernel_w = 3, .padding = 1}, true})},
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
      {"linear_scaled", scaled_linear({2, 7, 16}, 40, true)},
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
      {"depthwise_11x11", depthwise({1, 12, 13, 4}, {.kernel_h = 11, .kernel_w = 11, .padding = 5}, false)},
      {"batchnorm", batchnorm({3, 4, 5, 7}, {}, false)},
      {"batchnorm_relu", batchnorm({2, 6, 5, 16}, {.activation = Activation::relu}, false), 2e-4F, 2e-2},
      {"batchnorm_silu", batchnorm({2, 6, 5, 16}, {.activation = Activation::silu}, false)},
      {"batchnorm_gelu", batchnorm({2, 6, 5, 7}, {.activation = Activation::gelu}, false)},
      {"batchnorm_residual_sigmoid", batchnorm({2, 4, 5, 8}, {.activation = Activation::sigmoid}, true)},
      {"batchnorm_residual", batchnorm({2, 4, 5, 8}, {}, true)},
      {"batchnorm_residual_relu6", batchnorm({2, 4, 5, 24}, {.activation = Activation::relu6}, true), 2e-4F, 2e-2},
      {"batchnorm_evaluation", batchnorm({2, 4, 5, 9}, {.training = false}, false)},
      {"batchnorm_evaluation_residual_relu",
       batchnorm({2, 4, 5, 9}, {.training = false, .activation = Activation::relu}, true), 2e-4F, 2e-2},
      {"batchnorm_sum_gelu",
       batchnorm_sum(
           {{2, 5, 6, 7}, {.branches = {{0}, {1}, {0}}, .activation = Activation::gelu}, {false, false, false}})},
      // With so large an eps the weight's gradient is none that rounding hides.
      {"batchnorm_sum_rep_mixer", batchnorm_sum({{2, 6, 5, 8},
                                                 {.branches = {{0}, {1}, {0}, {0, true}}, .eps = 0.5F},
                                                 {false, false, true, false},
                                                 true,
                                                 true})},
      {"batchnorm_sum_evaluation",
       batchnorm_sum(
           {{2, 4, 5, 9}, {.branches = {{0}, {1}, {0, true}}, .training = false}, {false, false, false}, true, true})},
      {"between_convolutions", between_convolutions({2, 9, 8, 5}, 12, {}, Activation::none)},
      {"between_convolutions_relu", between_convolutions({3, 8, 9, 8}, 24, {}, Activation::relu), 1e-4F, 3e-2},
      {"between_convolutions_relu6_stride_2",
       between_convolutions({2, 11, 12, 6}, 13, {.stride = 2}, Activation::relu6), 1e-4F, 3e-2},
      {"between_convolutions_silu", between_convolutions({3, 8, 9, 8}, 24, {}, Activation::silu)},
      {"between_convolutions_hard_swish",
       between_convolutions({2, 11, 12, 6}, 13, {.stride = 2}, Activation::hard_swish), 1e-4F, 3e-2},
      {"between_convolutions_5x5",
       between_convolutions({2, 12, 9, 4}, 20, {.kernel_h = 5, .kernel_w = 5, .padding = 2}, Activation::none)},
      {"between_convolutions_wide", between_convolutions({4, 16, 16, 16}, 64, {}, Activation::none)},
      {"between_convolutions_large_weight", between_convolutions({2, 9, 8, 5}, 520, {}, Activation::none, true, 516)},
      {"between_convolutions_evaluation", between_convolutions({2, 9, 8, 5}, 12, {}, Activation::none, false)},
      {"squeeze_excite", squeeze_excite({3, 5, 4, 19}, {.reduced = 6}), 1e-4F, 2e-2},
      {"squeeze_excite_silu", squeeze_excite({2, 9, 9, 40}, {.reduced = 10, .activation = Activation::silu})},
      {"squeeze_excite_hard", squeeze_excite({1, 3, 4, 17}, {.reduced = 8, .gate = Activation::hard_sigmoid}), 1e-3F,
       2e-2},
      {"squeeze_excite_between_silu",
       squeeze_excite_between({2, 9, 8, 24}, {.reduced = 6, .activation = Activation::silu}, Activation::silu)},
      {"squeeze_excite_between_evaluation",
       squeeze_excite_between({2, 9, 8, 24}, {.reduced = 6, .activation = Activation::silu}, Activation::silu, false)},
      {"squeeze_excite_between_hard",
       squeeze_excite_between({3, 12, 10, 13}, {.reduced = 8, .gate = Activation::hard_sigmoid}, Activation::relu6),
       1e-4F, 3e-2},
      {"groupnorm", groupnorm({3, 5, 4, 10}, 1)},
      {"groupnorm_groups", groupnorm({1, 40, 33, 12}, 3)},
      {"layernorm", layernorm({2, 5, 19}, false)},
      {"layernorm_residual", layernorm({2, 5, 24}, true)},
      {"relu", activation(Activation::relu, 1)},
      {"relu6", activation(Activation::relu6, 5.9F)},
      {"gelu", activation(Activation::gelu, 4)},
      {"hard_swish", activation(Activation::hard_swish, 2.9F)},
      {"silu", activation(Activation::silu, 4)},
      {"sigmoid", activation(Activation::sigmoid, 4)},
      {"gelu_tanh", activation(Activation::gelu_tanh, 4)},
      {"tanh", activation(Activation::tanh, 3)},
      {"hard_sigmoid", activation(Activation::hard_sigmoid, 2.9F)},
      {"add", of_two_inputs(std::make_shared<const graph::Add>(), {3, 17}, {3, 17})},
      {"bias", of_two_inputs(std::make_shared<const graph::Bias>(), {3, 5, 7}, {7})},
      {"position_embedding", of_two_inputs(std::make_shared<const graph::Bias>(), {3, 5, 7}, {1, 5, 7})},
      {"scale", of_two_inputs(std::make_shared<const graph::Scale>(), {3, 5, 7}, {7})},
      {"prepend_token", of_two_inputs(std::make_shared<const graph::PrependToken>(), {3, 4, 6}, {1, 1, 6})},
      {"select_token",
       of_one_input(std::make_shared<const graph::SelectToken>(graph::SelectTokenAttributes{2}), {3, 4, 6})},
      {"transpose", of_one_input(std::make_shared<const graph::Transpose>(), {2, 19, 7})},
      {"transpose_addend", of_two_inputs(std::make_shared<const graph::Transpose>(), {3, 6, 18}, {3, 18, 6})},
      {"split_and_concat", split_and_concat({3, 5, 29}, {6, 4, 19})},
      {"reshape", reshape({3, 4, 5}, {4, 15})},
      {"max_pool2d",
       of_one_input(std::make_shared<const graph::MaxPool2d>(graph::Pool2dAttributes{3, 2, 1}), {2, 9, 8, 6}), 1e-5F,
       2e-2},
      {"avg_pool2d",
       of_one_input(std::make_shared<const graph::AvgPool2d>(graph::Pool2dAttributes{3, 2, 1}), {2, 9, 8, 6})},
      {"avg_pool2d_without_padding",
       of_one_input(std::make_shared<const graph::AvgPool2d>(graph::Pool2dAttributes{3, 2, 1, false}), {2, 9, 8, 5})},
      {"dropout", dropout({7, 93}, 0.3F)},
      {"drop_path", drop_path({9, 4, 5, 6}, false)},
      {"drop_path_addend", drop_path({9, 70, 31}, true)},
      {"gate", of_two_inputs(std::make_shared<const graph::Gate>(), {2, 7, 6, 9}, {2, 3, 3, 9})},
      {"gate_of_the_same_size", of_two_inputs(std::make_shared<const graph::Gate>(), {3, 4, 5, 8}, {3, 4, 5, 8})},
      {"resize_nearest",
       of_one_input(std::make_shared<const graph::Resize>(graph::ResizeMode::nearest, 7, 8), {2, 3, 4, 6})},
      {"resize_bilinear",
       of_one_input(std::make_shared<const graph::Resize>(graph::ResizeMode::bilinear, 8, 5), {2, 7, 9, 5})},
      {"resize_bilinear_corners",
       of_one_input(std::make_shared<const graph::Resize>(graph::ResizeMode::bilinear_corners, 8, 8), {2, 7, 7, 5})},
      {"pool_mixer",
       of_two_inputs(std::make_shared<const graph::PoolMixer>(graph::PoolMixerAttributes{3}), {2, 6, 7, 9}, {9})},
      {"global_avg_pool", of_one_input(std::make_shared<const graph::GlobalAvgPool>(), {2, 7, 5, 9})},
      {"attention", of_one_input(std::make_shared<const graph::Attention>(graph::AttentionAttributes{2}), {2, 9, 24})},
      {"attention_odd",
       of_one_input(std::make_shared<const graph::Attention>(graph::AttentionAttributes{3, 0.5F}), {1, 70, 45})},
      {"linear_attention", linear_attention({2, 5, 4, 30}, 5, 1)},
      {"linear_attention_two_scales", linear_attention({2, 17, 48}, 8, 2)},
      {"separable_attention", separable_attention({2, 4, 6, 15})},
      {"separable_attention_wide", separable_attention({1, 6, 4, 67})},
      {"cross_covariance_attention", cross_covariance_attention({2, 5, 4, 30}, 2)},
      {"cross_covariance_attention_long", cross_covariance_attention({1, 130, 51}, 1)},
      {"attention_biased", biased_attention({3, 13, 36}, {.heads = 2})},
      {"attention_wide_values",
       biased_attention(
           {2, 9, 66},
           {.heads = 3, .key_dim = 4, .value_dim = 14, .order = graph::AttentionAttributes::Order::heads_parts})},
      {"attention_windows", window_attention({2, 6, 9, 24}, 2, {graph::WindowPartition::Kind::block, 3}, false)},
      {"attention_shifted_windows",
       window_attention({2, 6, 9, 24}, 2, {graph::WindowPartition::Kind::block, 3, 1}, false)},
      {"attention_grid", window_attention({3, 9, 6, 36}, 3, {graph::WindowPartition::Kind::grid, 3}, true)},
      {"gather_tokens", gather_tokens()},
      {"softmax_cross_entropy", cross_entropy(0), 1e-2F, 5e-3, true},
      {"softmax_cross_entropy_smoothed", cross_entropy(0.1F), 1e-2F, 5e-3, true},
      {"softmax_cross_entropy_mixed", mixed_cross_entropy(0, 0.7F), 1e-2F, 5e-3, true},
      {"softmax_cross_entropy_mixed_smoothed", mixed_cross_entropy(0.1F, 0.25F), 1e-2F, 5e-3, true},
  };
  return all;
}

class Gradient : public testing::TestWithParam<GradientCase> {};

TEST_P(Gradient, MatchesFiniteDifferences) { check_gradients(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Ops, Gradient, testing::ValuesIn(cases()), [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace bramble::test
