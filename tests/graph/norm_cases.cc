// Normalisations, alone and between the convolutions that take over their passes; squeeze-excite.
#include <memory>
#include <vector>

#include "graph/activation.h"
#include "graph/ops/add.h"
#include "graph/ops/batchnorm.h"
#include "graph/ops/batchnorm_sum.h"
#include "graph/ops/concat.h"
#include "graph/ops/conv2d.h"
#include "graph/ops/depthwise_conv2d.h"
#include "graph/ops/gate.h"
#include "graph/ops/groupnorm.h"
#include "graph/ops/layernorm.h"
#include "graph/ops/pool.h"
#include "graph/ops/squeeze_excite.h"
#include "tests/graph/gradient_cases.h"

namespace bramble::test {
namespace {

using graph::Activation;
using graph::Layout;
using graph::TensorId;
using Builder = GradientCaseBuilder;

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
  int weighted = -1;      ///< the branch that has a weight
  bool residual = false;  ///< the first branch's x
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
      const bool weighted = static_cast<int>(k) == c.weighted;
      inputs.push_back(weighted ? b.parameter({channels, 1, 1, 1}, 0.5F, 1.5F) : graph::kNoTensor);
      if (weighted) b.graph.mutable_tensor(inputs.back()).spec.layout = Layout::depthwise_weight;
      inputs.push_back(graph::kNoTensor);
    }
    if (c.residual) inputs[0] = xs[0];
    if (c.layer_scale) inputs[1] = b.parameter({channels}, 0.5F, 1.5F);
    return b.node(std::make_shared<graph::BatchNormSum>(c.attributes), inputs)[0];
  };
}

TensorId normalised(Builder& b, TensorId y, const graph::BatchNormAttributes& attributes) {
  const std::int64_t c = b.graph.tensor(y).spec.shape.back();
  return b.node(std::make_shared<graph::BatchNorm>(attributes),
                {y, b.parameter({c}, 0.5F, 1.5F), b.parameter({c}), b.buffer({c}, 0.1F), b.buffer({c}, 0.6F)})[0];
}

TensorId pointwise(Builder& b, TensorId y, int to) {
  const std::int64_t c = b.graph.tensor(y).spec.shape.back();
  return b.node(std::make_shared<graph::Conv2d>(graph::Conv2dAttributes{.out_channels = to}),
                {y, b.weight({to, c, 1, 1}, Layout::gemm_weight)})[0];
}

TensorId depthwise(Builder& b, TensorId y, const graph::DepthwiseConv2dAttributes& attributes) {
  const std::int64_t c = b.graph.tensor(y).spec.shape.back();
  return b.node(std::make_shared<graph::DepthwiseConv2d>(attributes),
                {y, b.weight({c, 1, attributes.kernel_h, attributes.kernel_w}, Layout::depthwise_weight)})[0];
}

/// The chain that MobileNets are made of: all of a BatchNorm's passes but one go to the convolutions beside it.
auto between_convolutions(graph::Shape x, int channels, const graph::DepthwiseConv2dAttributes& attributes,
                          Activation activation, bool training = true, int out = 7) {
  return [=](Builder& b) {
    const graph::BatchNormAttributes norm{.training = training, .activation = activation};
    const TensorId y = normalised(b, pointwise(b, b.parameter(x), channels), norm);
    return pointwise(b, normalised(b, depthwise(b, y, attributes), norm), out);
  };
}

/// GhostNet's module: what is joined is normalised where it is joined, and the way back takes parts where they lie.
auto ghost_module(graph::Shape x, int channels, const graph::BatchNormAttributes& norm) {
  return [=](Builder& b) {
    const TensorId primary = normalised(b, pointwise(b, b.parameter(x), channels), norm);
    const TensorId cheap = normalised(b, depthwise(b, primary, {}), norm);
    const auto concat = std::make_shared<graph::Concat>(std::vector<std::int64_t>{channels, channels});
    return pointwise(b, b.node(concat, {primary, cheap})[0], 7);
  };
}

/// The same times a gate, which joins the parts itself.
auto gated_ghost_module(graph::Shape x, int channels, graph::Shape gate, const graph::BatchNormAttributes& norm) {
  return [=](Builder& b) {
    const TensorId primary = normalised(b, pointwise(b, b.parameter(x), channels), norm);
    const TensorId cheap = normalised(b, depthwise(b, primary, {}), norm);
    const auto concat = std::make_shared<graph::Concat>(std::vector<std::int64_t>{channels, channels});
    return b.node(std::make_shared<graph::Gate>(), {b.node(concat, {primary, cheap})[0], b.parameter(gate)})[0];
  };
}

/// One part through a BatchNorm, one as it is, one through another BatchNorm with another activation.
auto concat_normalised(graph::Shape x) {
  return [=](Builder& b) {
    const std::int64_t c = x.back();
    const TensorId first = normalised(b, b.parameter(x), {.activation = Activation::silu});
    const TensorId last = normalised(b, b.parameter(x), {.training = false});
    return b.node(std::make_shared<graph::Concat>(std::vector<std::int64_t>{c, c, c}),
                  {first, b.parameter(x), last})[0];
  };
}

/// A ResNet's block: a BatchNorm with a residual, whose backward's sums and mask the convolution after it takes, and
/// whose y is read further on too, so that two gradients reach it.
auto before_join(graph::Shape x, const graph::Conv2dAttributes& after, Activation activation, bool training = true) {
  return [=](Builder& b) {
    const std::int64_t c = x.back();
    const TensorId first = b.parameter(x);
    const TensorId u =
        b.node(std::make_shared<graph::Conv2d>(graph::Conv2dAttributes{.out_channels = static_cast<int>(c)}),
               {first, b.weight({c, c, 1, 1}, Layout::gemm_weight)})[0];
    const TensorId y = b.node(
        std::make_shared<graph::BatchNorm>(graph::BatchNormAttributes{.training = training, .activation = activation}),
        {u, b.parameter({c}, 0.5F, 1.5F), b.parameter({c}), b.buffer({c}, 0.1F), b.buffer({c}, 0.6F), first})[0];
    const TensorId weight = b.weight({after.out_channels, c, after.kernel_h, after.kernel_w}, Layout::gemm_weight);
    const TensorId z = b.node(std::make_shared<graph::Conv2d>(after), {y, weight})[0];
    const bool same = b.graph.tensor(z).spec.shape == x;
    return same ? b.node(std::make_shared<graph::Add>(), {z, y})[0] : z;
  };
}

/// Where a ResNet's stage begins: the residual comes through a BatchNorm of its own.
auto normalised_residual(graph::Shape x, Activation activation, bool training = true) {
  return [=](Builder& b) {
    const std::int64_t c = x.back();
    const auto norm = [&](TensorId y, Activation kind, TensorId residual) {
      std::vector<TensorId> inputs = {y, b.parameter({c}, 0.5F, 1.5F), b.parameter({c}), b.buffer({c}, 0.1F),
                                      b.buffer({c}, 0.6F)};
      if (residual != graph::kNoTensor) inputs.push_back(residual);
      return b.node(
          std::make_shared<graph::BatchNorm>(graph::BatchNormAttributes{.training = training, .activation = kind}),
          inputs)[0];
    };
    const TensorId shortcut = norm(b.parameter(x, -1, 1.5F), Activation::none, graph::kNoTensor);
    const TensorId y = norm(b.parameter(x, -1, 1.5F), activation, shortcut);
    const TensorId weight = b.weight({5, c, 1, 1}, Layout::gemm_weight);
    return b.node(std::make_shared<graph::Conv2d>(graph::Conv2dAttributes{.out_channels = 5}), {y, weight})[0];
  };
}

/// The same BatchNorm without a residual, before a convolution that cannot normalise what it reads.
auto before_window(graph::Shape x, const graph::Conv2dAttributes& after, Activation activation) {
  return [=](Builder& b) {
    const std::int64_t c = x.back();
    const TensorId y = b.node(std::make_shared<graph::BatchNorm>(graph::BatchNormAttributes{.activation = activation}),
                              {b.parameter(x, -1, 1.5F), b.parameter({c}, 0.5F, 1.5F), b.parameter({c}),
                               b.buffer({c}, 0.1F), b.buffer({c}, 0.6F)})[0];
    const TensorId weight = b.weight({after.out_channels, c, after.kernel_h, after.kernel_w}, Layout::gemm_weight);
    return b.node(std::make_shared<graph::Conv2d>(after), {y, weight})[0];
  };
}

/// A ResNet's stem: the pooling normalises what it reads, and the BatchNorm's backward undoes the pooling in passing.
auto before_max_pool(graph::Shape x, const graph::Pool2dAttributes& pool, Activation activation, bool training = true) {
  return [=](Builder& b) {
    const std::int64_t c = x.back();
    const TensorId y = b.node(
        std::make_shared<graph::BatchNorm>(graph::BatchNormAttributes{.training = training, .activation = activation}),
        {b.parameter(x, -1, 1.5F), b.parameter({c}, 0.5F, 1.5F), b.parameter({c}), b.buffer({c}, 0.1F),
         b.buffer({c}, 0.6F)})[0];
    return b.node(std::make_shared<graph::MaxPool2d>(pool), {y})[0];
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

}  // namespace

std::vector<GradientCase> norm_cases() {
  return {
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
       batchnorm_sum({{2, 5, 6, 7}, {.branches = {{0}, {1}, {0}}, .activation = Activation::gelu}})},
      // With so large an eps the weight's gradient is none that rounding hides.
      {"batchnorm_sum_rep_mixer",
       batchnorm_sum({{2, 6, 5, 8}, {.branches = {{0}, {1}, {0}, {0, true}}, .eps = 0.5F}, 2, true, true})},
      {"batchnorm_sum_evaluation",
       batchnorm_sum({{2, 4, 5, 9}, {.branches = {{0}, {1}, {0, true}}, .training = false}, -1, true, true})},
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
      {"before_join", before_join({2, 9, 8, 12}, {.out_channels = 12}, Activation::relu), 1e-4F, 3e-2},
      {"before_join_linear", before_join({2, 9, 8, 5}, {.out_channels = 5}, Activation::none)},
      {"before_join_wide", before_join({4, 16, 16, 16}, {.out_channels = 16}, Activation::relu), 1e-4F, 3e-2},
      {"before_join_one_gradient", before_join({2, 9, 8, 12}, {.out_channels = 20}, Activation::relu6), 1e-4F, 3e-2},
      {"before_join_evaluation", before_join({2, 9, 8, 5}, {.out_channels = 5}, Activation::relu, false), 1e-4F, 3e-2},
      {"before_join_large_weight", before_join({2, 9, 8, 260}, {.out_channels = 260}, Activation::relu), 1e-4F, 3e-2},
      {"before_join_transposing", before_join({2, 5, 7, 520}, {.out_channels = 520}, Activation::relu), 1e-4F, 3e-2},
      {"before_join_window",
       before_join({2, 9, 8, 7}, {.out_channels = 7, .kernel_h = 3, .kernel_w = 3, .padding = 1}, Activation::relu),
       1e-4F, 3e-2},
      {"before_join_winograd",
       before_join({2, 18, 21, 36}, {.out_channels = 36, .kernel_h = 3, .kernel_w = 3, .padding = 1}, Activation::relu),
       1e-4F, 3e-2},
      {"before_join_stride",
       before_join({2, 9, 8, 7}, {.out_channels = 6, .kernel_h = 3, .kernel_w = 3, .stride = 2, .padding = 1},
                   Activation::relu),
       1e-4F, 3e-2},
      {"normalised_residual", normalised_residual({2, 9, 8, 7}, Activation::relu), 1e-4F, 3e-2},
      {"normalised_residual_linear", normalised_residual({3, 5, 8, 12}, Activation::none)},
      {"normalised_residual_evaluation", normalised_residual({2, 9, 8, 7}, Activation::relu, false), 1e-4F, 3e-2},
      {"before_window",
       before_window({2, 9, 8, 7}, {.out_channels = 5, .kernel_h = 3, .kernel_w = 3, .padding = 1}, Activation::silu)},
      {"before_window_winograd",
       before_window({2, 18, 21, 24}, {.out_channels = 20, .kernel_h = 3, .kernel_w = 3, .padding = 1},
                     Activation::relu),
       1e-4F, 3e-2},
      {"before_max_pool", before_max_pool({2, 9, 8, 6}, {3, 2, 1}, Activation::none), 1e-4F, 3e-2},
      {"before_max_pool_relu", before_max_pool({3, 8, 8, 5}, {2, 2, 0}, Activation::relu), 1e-4F, 3e-2},
      {"before_max_pool_in_pieces", before_max_pool({2, 9, 64, 300}, {3, 2, 1}, Activation::none), 1e-4F, 3e-2},
      {"before_max_pool_evaluation", before_max_pool({2, 9, 8, 6}, {3, 2, 1}, Activation::relu6, false), 1e-4F, 3e-2},
      {"between_convolutions_evaluation", between_convolutions({2, 9, 8, 5}, 12, {}, Activation::none, false)},
      {"ghost_module", ghost_module({2, 9, 8, 5}, 12, {})},
      {"ghost_module_relu", ghost_module({3, 8, 9, 8}, 24, {.activation = Activation::relu}), 1e-4F, 3e-2},
      {"ghost_module_hard_swish", ghost_module({2, 9, 8, 6}, 13, {.activation = Activation::hard_swish}), 1e-4F, 3e-2},
      {"ghost_module_wide", ghost_module({4, 16, 16, 16}, 64, {})},
      {"ghost_module_evaluation", ghost_module({2, 9, 8, 5}, 7, {.training = false})},
      {"ghost_module_gated", gated_ghost_module({2, 9, 8, 5}, 6, {2, 4, 4, 12}, {})},
      {"ghost_module_gated_silu",
       gated_ghost_module({2, 8, 8, 8}, 24, {2, 8, 8, 48}, {.activation = Activation::silu})},
      {"concat_normalised", concat_normalised({2, 4, 5, 7})},
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
      // Images of a pixel number that no tile divides: panels of two images' rows, each with its own gate.
      {"squeeze_excite_between_odd",
       squeeze_excite_between({3, 5, 7, 21}, {.reduced = 6, .activation = Activation::silu}, Activation::hard_swish)},
      {"groupnorm", groupnorm({3, 5, 4, 10}, 1)},
      {"groupnorm_groups", groupnorm({1, 40, 33, 12}, 3)},
      {"layernorm", layernorm({2, 5, 19}, false)},
      {"layernorm_residual", layernorm({2, 5, 24}, true)},
  };
}

}  // namespace bramble::test
