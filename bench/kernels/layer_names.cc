#include "bench/kernels/layer_names.h"

#include <algorithm>

#include "graph/ops/activation.h"
#include "graph/ops/add.h"
#include "graph/ops/attention.h"
#include "graph/ops/batchnorm.h"
#include "graph/ops/batchnorm_sum.h"
#include "graph/ops/conv2d.h"
#include "graph/ops/cross_covariance_attention.h"
#include "graph/ops/depthwise_conv2d.h"
#include "graph/ops/gather_tokens.h"
#include "graph/ops/linear.h"
#include "graph/ops/linear_attention.h"
#include "graph/ops/pointwise_conv2d.h"
#include "graph/ops/squeeze_excite.h"

namespace bramble::bench {
namespace {

using graph::Activation;
using graph::Graph;
using graph::Node;
using graph::Shape;

const Shape kAbsent;

const Shape& shape_of(const Graph& graph, const std::vector<graph::TensorId>& ids, std::size_t i) {
  return i < ids.size() && ids[i] != graph::kNoTensor ? graph.tensor(ids[i]).spec.shape : kAbsent;
}

/// "conv2d", "fwd" or "conv2d", "bwd_data"
std::pair<std::string, std::string> family_and_pass(std::string_view op) {
  const std::size_t at = op.find("_bwd");
  if (at == std::string_view::npos) return {std::string(op), "fwd"};
  return {std::string(op.substr(0, at)), std::string(op.substr(at + 1))};
}

template <class Op>
const Op* as(const Node& node) {
  return dynamic_cast<const Op*>(node.op.get());
}

std::string suffix(Activation kind) {
  switch (kind) {
    case Activation::none:
      return "";
    case Activation::relu:
      return "_relu";
    case Activation::relu6:
      return "_relu6";
    case Activation::gelu:
      return "_gelu";
    case Activation::hard_swish:
      return "_hard_swish";
    case Activation::silu:
      return "_silu";
    case Activation::sigmoid:
      return "_sigmoid";
    case Activation::hard_sigmoid:
      return "_hard_sigmoid";
    case Activation::gelu_tanh:
      return "_gelu_tanh";
    case Activation::tanh:
      return "_tanh";
  }
  return "_activation";
}

/// The activation in a forward node's epilogue.
Activation activation_of(const Node& node) {
  if (const auto* op = as<graph::Conv2d>(node)) return op->attributes.activation;
  if (const auto* op = as<graph::DepthwiseConv2d>(node)) return op->attributes.activation;
  if (const auto* op = as<graph::Linear>(node)) return op->attributes.activation;
  if (const auto* op = as<graph::BatchNorm>(node)) return op->attributes.activation;
  if (const auto* op = as<graph::BatchNormBwd>(node)) return op->attributes.activation;
  if (const auto* op = as<graph::BatchNormSum>(node)) return op->attributes.activation;
  if (const auto* op = as<graph::BatchNormSumBwd>(node)) return op->attributes.activation;
  if (const auto* op = as<graph::SqueezeExcite>(node)) return op->attributes.activation;
  if (const auto* op = as<graph::SqueezeExciteBwd>(node)) return op->attributes.activation;
  if (const auto* op = as<graph::ActivationOp>(node)) return op->kind;
  if (const auto* op = as<graph::ActivationBwd>(node)) return op->kind;
  return Activation::none;
}

/// Where an optional input is added: a residual, or a gradient that comes another way.
bool has_addend(const Graph& graph, const Node& node) {
  const auto has = [&](std::size_t i) { return !shape_of(graph, node.inputs, i).empty(); };
  const std::string_view op = node.op->name();
  if (op == "conv2d" || op == "linear" || op == "layernorm") return has(3);
  if (op == "conv2d_bwd_data" || op == "linear_bwd_data") return has(2);
  if (op == "pointwise_conv2d_bwd") return has(3);
  if (op == "layernorm_bwd" || op == "batchnorm") return has(5);
  if (op == "batchnorm_sum") return has(0);
  if (op == "depthwise_conv2d_bwd") return has(8);
  return op == "batchnorm_bwd" && has(6);
}

/// What a node does of the BatchNorm beside it, or a BatchNorm leaves to its neighbours.
std::string shared_passes(const Node& node, const std::vector<bool>& read) {
  const auto is_read = [&](int i) {
    return i >= 0 && read[static_cast<std::size_t>(node.outputs[static_cast<std::size_t>(i)])];
  };
  const auto given = [&](std::size_t i) { return i < node.inputs.size() && node.inputs[i] != graph::kNoTensor; };
  if (as<graph::BatchNorm>(node))
    return std::string(given(7) ? "_normalised" : "") + (given(6) ? "_summed" : "") + (is_read(0) ? "" : "_left");
  if (as<graph::BatchNormBwd>(node)) return std::string(given(8) ? "_pooled" : "") + (given(7) ? "_summed" : "");
  const auto normalised = node.op->normalised_inputs();
  const bool any = std::ranges::any_of(
      normalised, [&](const graph::NormalisedInput& input) { return given(static_cast<std::size_t>(input.mean)); });
  const int summed = node.op->backward_sums_input();
  const bool masks = summed >= 0 && given(static_cast<std::size_t>(summed) + 4);
  const bool gated = std::ranges::any_of(normalised, [&](const graph::NormalisedInput& input) {
    return input.gate >= 0 && given(static_cast<std::size_t>(input.gate));
  });
  return std::string(any ? "_normalised" : "") + (gated ? "_gated" : "") +
         (is_read(node.op->channel_sums_output()) ? "_sums" : "") + (masks ? "_masked" : "");
}

std::string extents(const Shape& shape, std::size_t from) {
  std::string text;
  for (std::size_t i = from; i < shape.size(); ++i) text += (i > from ? "x" : "") + std::to_string(shape[i]);
  return text;
}

/// `x` and `y` are the forward's; `a` any of the two convolutions' attributes.
template <class Attributes>
std::string convolution_text(const Attributes& a, const Shape& x, std::int64_t out, int groups) {
  std::string text = extents({x[1], x[2]}, 0) + "_" + std::to_string(x[3]);
  if (out != x[3]) text += "_" + std::to_string(out);
  text += "_" + extents({a.kernel_h, a.kernel_w}, 0);
  if (a.stride != 1) text += "_s" + std::to_string(a.stride);
  const graph::Extent2d padding = a.padding;
  if (padding.height != a.kernel_h / 2 || padding.width != a.kernel_w / 2) {
    text += "_p" + std::to_string(padding.height);
    if (padding.width != padding.height) text += "x" + std::to_string(padding.width);
  }
  if (a.extra_padding != 0) text += "_same";
  if (groups != 1) text += "_g" + std::to_string(groups);
  return text;
}

std::string linear_text(const Shape& x, std::int64_t out) {
  const std::int64_t in = x.back();
  return std::to_string(graph::element_count(x) / in) + "_" + std::to_string(in) + "_" + std::to_string(out);
}

std::string attention_text(const graph::AttentionAttributes& a, const Shape& qkv, bool bias) {
  using Kind = graph::WindowPartition::Kind;
  std::string text = extents(qkv, 0) + "_h" + std::to_string(a.heads);
  if (a.partition.shift > 0) text += "_shifted";
  if (a.partition.kind != Kind::none) text += a.partition.kind == Kind::grid ? "_grid" : "_windows";
  return text + (bias ? "_bias" : "");
}

std::string shape_text(const Graph& graph, const Node& node) {
  const Shape& in = shape_of(graph, node.inputs, 0);
  const Shape& in1 = shape_of(graph, node.inputs, 1);
  const Shape& out = shape_of(graph, node.outputs, 0);
  if (const auto* op = as<graph::Conv2d>(node))
    return convolution_text(op->attributes, in, out[3], op->attributes.groups);
  if (const auto* op = as<graph::Conv2dBwdData>(node))
    return convolution_text(op->attributes, out, in[3], op->attributes.groups);
  if (const auto* op = as<graph::Conv2dBwdWeight>(node))
    return convolution_text(op->attributes, in, in1[3], op->attributes.groups);
  if (const auto* op = as<graph::DepthwiseConv2d>(node)) return convolution_text(op->attributes, in, in[3], 1);
  if (const auto* op = as<graph::DepthwiseConv2dBwd>(node)) return convolution_text(op->attributes, in1, in1[3], 1);
  if (as<graph::PointwiseConv2dBwd>(node)) return convolution_text(graph::Conv2dAttributes{}, in1, in[3], 1);
  if (as<graph::Linear>(node)) return linear_text(in, out.back());
  if (as<graph::LinearBwdData>(node)) return linear_text(out, in.back());
  if (as<graph::LinearBwdWeight>(node)) return linear_text(in, in1.back());
  if (const auto* op = as<graph::Attention>(node)) return attention_text(op->attributes, in, node.inputs.size() > 1);
  if (const auto* op = as<graph::AttentionBwd>(node))
    return attention_text(op->attributes, in1, node.inputs.size() > 4);
  if (const auto* op = as<graph::CrossCovarianceAttention>(node))
    return extents(out, 1) + "_h" + std::to_string(op->attributes.heads);
  if (const auto* op = as<graph::CrossCovarianceAttentionBwd>(node))
    return extents(in, 1) + "_h" + std::to_string(op->attributes.heads);
  if (const auto* op = as<graph::LinearAttention>(node))
    return extents(out, 1) + "_d" + std::to_string(op->attributes.head_dim);
  if (const auto* op = as<graph::LinearAttentionBwd>(node))
    return extents(in, 1) + "_d" + std::to_string(op->attributes.head_dim);
  if (as<graph::GatherTokens>(node)) return extents(in, 1) + "_" + std::to_string(out[1]);
  if (const auto* op = as<graph::SqueezeExcite>(node))
    return extents(in, 1) + "_r" + std::to_string(op->attributes.reduced);
  if (const auto* op = as<graph::SqueezeExciteBwd>(node))
    return extents(in1, 1) + "_r" + std::to_string(op->attributes.reduced);
  if (as<graph::BatchNormBwd>(node)) return extents(in1, 1);
  const Shape& shape = in.empty() ? out : in;  // the first input may be an optional one
  return extents(shape, shape.size() >= 3 && node.op->name() != "sgd" ? 1 : 0);
}

}  // namespace

std::string layer_name(const Graph& graph, const Node& node, const std::vector<bool>& read) {
  const auto [family, pass] = family_and_pass(node.op->name());
  return family + "/" + shape_text(graph, node) + suffix(activation_of(node)) +
         (has_addend(graph, node) ? "_add" : "") + shared_passes(node, read) + "/" + pass;
}

std::string plain_name(const Graph& graph, const Node& node) {
  const auto [family, pass] = family_and_pass(node.op->name());
  return family + "/" + shape_text(graph, node) + "/" + pass;
}

std::optional<kernels::Conv2dShape> forward_shape(const Graph& graph, const Node& node) {
  const Shape& x = shape_of(graph, node.inputs, 0);
  const auto of = [&](const auto& a, std::int64_t out, std::int64_t groups) {
    const graph::Extent2d padding = a.padding;
    return kernels::Conv2dShape{x[0],       x[1],     x[2],           x[3],       out,   a.kernel_h,
                                a.kernel_w, a.stride, padding.height, a.dilation, groups,
                                a.extra_padding};
  };
  if (const auto* op = as<graph::Conv2d>(node))
    return of(op->attributes, op->attributes.out_channels, op->attributes.groups);
  if (const auto* op = as<graph::DepthwiseConv2d>(node)) {
    const graph::Extent2d padding = op->attributes.padding;
    if (padding.height != padding.width) return std::nullopt;
    return of(op->attributes, x[3], x[3]);
  }
  if (const auto* op = as<graph::Linear>(node)) {
    kernels::Conv2dShape shape;
    shape.in_width = graph::element_count(x) / x.back();
    shape.in_channels = x.back();
    shape.out_channels = op->attributes.out_features;
    return shape;
  }
  return std::nullopt;
}

}  // namespace bramble::bench
