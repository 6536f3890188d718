// Attention of all kinds.
#include <initializer_list>
#include <memory>
#include <vector>

#include "graph/ops/attention.h"
#include "graph/ops/cross_covariance_attention.h"
#include "graph/ops/gather_tokens.h"
#include "graph/ops/linear_attention.h"
#include "graph/ops/relative_position_bias.h"
#include "graph/ops/separable_attention.h"
#include "tests/graph/gradient_cases.h"

namespace bramble::test {
namespace {

using graph::TensorId;
using Builder = GradientCaseBuilder;

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

}  // namespace

std::vector<GradientCase> attention_cases() {
  return {
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
  };
}

}  // namespace bramble::test
