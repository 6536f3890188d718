// What is elementwise, pools, moves or drops values; the loss.
#include <memory>
#include <vector>

#include "graph/activation.h"
#include "graph/ops/activation.h"
#include "graph/ops/add.h"
#include "graph/ops/bias.h"
#include "graph/ops/concat.h"
#include "graph/ops/depthwise_conv2d.h"
#include "graph/ops/dropout.h"
#include "graph/ops/gate.h"
#include "graph/ops/pool.h"
#include "graph/ops/pool_mixer.h"
#include "graph/ops/repeat_interleave.h"
#include "graph/ops/reshape.h"
#include "graph/ops/resize.h"
#include "graph/ops/scale.h"
#include "graph/ops/softmax_cross_entropy.h"
#include "graph/ops/token.h"
#include "graph/ops/transpose.h"
#include "tests/graph/gradient_cases.h"

namespace bramble::test {
namespace {

using graph::Activation;
using graph::TensorId;
using Builder = GradientCaseBuilder;

/// Values that keep their distance from a kink at 0.
auto activation(Activation kind, float scale) {
  return [=](Builder& b) {
    return b.node(std::make_shared<graph::ActivationOp>(kind), {b.parameter({3, 37}, -scale, scale, 0.05F)})[0];
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

/// As InceptionNeXt has it: branches read their channels in place, two of them the same; one is joined as it is.
auto depthwise_branches(graph::Shape x, std::vector<std::int64_t> sizes, int stride) {
  return [=](Builder& b) {
    const auto parts = b.node(std::make_shared<graph::Split>(sizes), {b.parameter(x)});
    const auto branch = [&](std::size_t part, int height, int width) {
      const graph::DepthwiseConv2dAttributes attributes{
          .kernel_h = height, .kernel_w = width, .stride = stride, .padding = {height / 2, width / 2}};
      return b.node(std::make_shared<graph::DepthwiseConv2d>(attributes),
                    {parts[part], b.weight({sizes[part], 1, height, width}, graph::Layout::depthwise_weight),
                     b.parameter({sizes[part]})})[0];
    };
    std::vector<TensorId> joined = {branch(1, 3, 3), branch(2, 1, 11), branch(1, 5, 1)};
    std::vector<std::int64_t> widths = {sizes[1], sizes[2], sizes[1]};
    if (stride == 1) joined.push_back(parts[0]), widths.push_back(sizes[0]);
    return b.node(std::make_shared<graph::Concat>(widths), joined)[0];
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

}  // namespace

std::vector<GradientCase> other_cases() {
  return {
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
      {"depthwise_branches", depthwise_branches({2, 9, 8, 29}, {6, 4, 19}, 1)},
      {"depthwise_branches_stride_2", depthwise_branches({2, 9, 14, 13}, {1, 7, 5}, 2)},
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
      {"repeat_interleave", of_one_input(std::make_shared<const graph::RepeatInterleave>(2), {2, 3, 19})},
      {"repeat_interleave_thrice", of_one_input(std::make_shared<const graph::RepeatInterleave>(3), {2, 3, 5})},
      {"resize_nearest",
       of_one_input(std::make_shared<const graph::Resize>(graph::ResizeMode::nearest, 7, 8), {2, 3, 4, 6})},
      {"resize_bilinear",
       of_one_input(std::make_shared<const graph::Resize>(graph::ResizeMode::bilinear, 8, 5), {2, 7, 9, 5})},
      {"resize_bilinear_corners",
       of_one_input(std::make_shared<const graph::Resize>(graph::ResizeMode::bilinear_corners, 8, 8), {2, 7, 7, 5})},
      {"resize_adaptive_average",
       of_one_input(std::make_shared<const graph::Resize>(graph::ResizeMode::adaptive_average, 7, 7), {2, 5, 6, 5})},
      {"pool_mixer_without_residual",
       of_two_inputs(std::make_shared<const graph::PoolMixer>(graph::PoolMixerAttributes{3, false}), {2, 6, 7, 9},
                     {9})},
      {"pool_mixer",
       of_two_inputs(std::make_shared<const graph::PoolMixer>(graph::PoolMixerAttributes{3}), {2, 6, 7, 9}, {9})},
      {"global_avg_pool", of_one_input(std::make_shared<const graph::GlobalAvgPool>(), {2, 7, 5, 9})},
      {"softmax_cross_entropy", cross_entropy(0), 1e-2F, 5e-3, true},
      {"softmax_cross_entropy_smoothed", cross_entropy(0.1F), 1e-2F, 5e-3, true},
      {"softmax_cross_entropy_mixed", mixed_cross_entropy(0, 0.7F), 1e-2F, 5e-3, true},
      {"softmax_cross_entropy_mixed_smoothed", mixed_cross_entropy(0.1F, 0.25F), 1e-2F, 5e-3, true},
  };
}

}  // namespace bramble::test
