#include "graph/ops/attention.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "engine/bind/attention_windows.h"
#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "kernels/attention/attention.h"
#include "kernels/column_sum/column_sum.h"
#include "kernels/gemm/gemm.h"

namespace bramble::engine {
namespace {

using kernels::ListedRows;
using kernels::MatrixRows;

/// Tasks that keep four cores evenly busy; where images and heads are fewer, the forward also cuts the queries.
constexpr std::int64_t kTaskGoal = 16;
/// As many where windows are small, so that the last task's wait is short; a task then has one head's windows, whose
/// bias and mask stay in L1.
constexpr std::int64_t kWindowTaskGoal = 64;
/// Queries for which packing the keys and values once more is still cheap; cuts are at whole panels of the kernel.
constexpr std::int64_t kFewestQueries = 32;
constexpr std::int64_t kPanel = 12;

/// One head of one window.
struct Window {
  std::int64_t image, number, head;
};

/// How the heads of qkv, y, lse and the bias lie, and how they are divided into tasks.
struct Heads {
  graph::AttentionSizes sizes;
  kernels::AttentionShape shape;
  graph::AttentionAttributes::Order order;
  bool partitioned;    ///< or else a window is an image's whole sequence
  std::int64_t parts;  ///< of all images' windows; a task is one head of one part
  std::shared_ptr<const AttentionWindows> partition;
  std::shared_ptr<const std::vector<std::int64_t>> qkv_offsets, y_offsets;  ///< of every window's rows in an image

  Heads(const graph::AttentionAttributes& attributes, const graph::Shape& qkv, bool has_bias)
      : sizes(attributes, qkv),
        order(attributes.order),
        partitioned(attributes.partition.kind != graph::WindowPartition::Kind::none),
        parts(sizes.images * sizes.windows),
        partition(std::make_shared<AttentionWindows>(attributes.partition, qkv[1], partitioned ? qkv[2] : 1)),
        qkv_offsets(std::make_shared<std::vector<std::int64_t>>(partition->offsets(qkv_stride()))),
        y_offsets(std::make_shared<std::vector<std::int64_t>>(partition->offsets(values()))) {
    const float scale = attributes.scale != 0 ? attributes.scale : 1 / std::sqrt(static_cast<float>(sizes.key_dim));
    shape = {sizes.length, sizes.length, sizes.key_dim, sizes.value_dim, scale};
    if (partitioned || has_bias) parts = std::min(parts, (kWindowTaskGoal + sizes.heads - 1) / sizes.heads);
  }

  std::int64_t tasks() const { return sizes.heads * parts; }
  std::int64_t values() const { return sizes.heads * sizes.value_dim; }
  std::int64_t qkv_stride() const { return sizes.heads * (2 * sizes.key_dim + sizes.value_dim); }
  std::int64_t bias_stride() const { return sizes.bias_shape()[2]; }
  std::int64_t bias_floats() const { return sizes.length * bias_stride(); }

  template <class Run>
  void for_each_window(std::int64_t task, Run run) const {
    const std::int64_t all = sizes.images * sizes.windows, part = task / sizes.heads;
    for (std::int64_t i = all * part / parts; i < all * (part + 1) / parts; ++i)
      run(Window{i / sizes.windows, i % sizes.windows, task % sizes.heads});
  }

  /// The window's rows; part: 0 for q, 1 for k, 2 for v.
  template <class Value>
  ListedRows<Value> qkv(Value* base, const Window& window, std::int64_t part) const {
    const std::int64_t image = window.image * sizes.windows * sizes.length * qkv_stride();
    const std::int64_t own = part == 2 ? sizes.value_dim : sizes.key_dim;
    const std::int64_t column = order == graph::AttentionAttributes::Order::parts_heads
                                    ? part * sizes.heads * sizes.key_dim + window.head * own
                                    : window.head * (2 * sizes.key_dim + sizes.value_dim) + part * sizes.key_dim;
    return {base + image + column, qkv_offsets->data() + window.number * sizes.length};
  }
  template <class Value>
  ListedRows<Value> y(Value* base, const Window& window) const {
    const std::int64_t image = window.image * sizes.windows * sizes.length * values();
    return {base + image + window.head * sizes.value_dim, y_offsets->data() + window.number * sizes.length};
  }
  template <class Value>
  Value* lse(Value* base, const Window& window) const {
    return base + ((window.image * sizes.heads + window.head) * sizes.windows + window.number) * sizes.length;
  }
  kernels::AttentionInputs inputs(const float* base, const float* bias, const Window& window) const {
    kernels::AttentionInputs all{qkv(base, window, 0), qkv(base, window, 1), qkv(base, window, 2)};
    if (bias) all.bias = {bias + window.head * bias_floats(), bias_stride()};
    if (partitioned) all.mask = {partition->mask(window.number), partition->mask_stride()};
    return all;
  }
};

std::size_t bytes(std::int64_t floats) { return static_cast<std::size_t>(floats) * sizeof(float); }

}  // namespace

Bound bind_attention(const BindContext& context) {
  const bool has_bias = context.has_input(1);
  const Heads heads(context.op<graph::Attention>().attributes, context.input(0).shape, has_bias);
  const std::int64_t length = heads.sizes.length;
  // A partition's windows are small: they stay whole.
  const std::int64_t cuts = heads.partitioned
                                ? 1
                                : std::clamp((kTaskGoal + heads.tasks() - 1) / heads.tasks(), std::int64_t{1},
                                             (length + kFewestQueries - 1) / kFewestQueries);
  const std::int64_t panels = (length + kPanel - 1) / kPanel;
  const bool keeps_lse = context.has_output(1);
  const std::int64_t kernel_scratch = kernels::attention_fwd_scratch_f32(heads.shape);
  Phase phase;
  phase.tasks = heads.tasks() * cuts;
  phase.run = [=](const Operands& operands, std::int64_t task, std::byte* thread_scratch) {
    const std::int64_t begin = panels * (task % cuts) / cuts * kPanel;
    const std::int64_t end = std::min(panels * (task % cuts + 1) / cuts * kPanel, length);
    auto* scratch = reinterpret_cast<float*>(thread_scratch);
    const float* bias = has_bias ? operands.in<float>(1) : nullptr;
    heads.for_each_window(task / cuts, [&](const Window& window) {
      float* lse = keeps_lse ? heads.lse(operands.out<float>(1), window) : scratch + kernel_scratch;
      kernels::attention_fwd_f32(heads.shape, heads.inputs(operands.in<float>(0), bias, window),
                                 heads.y(operands.out<float>(0), window), lse, begin, end, scratch);
    });
  };
  Bound bound;
  bound.phases.push_back(std::move(phase));
  bound.thread_scratch = bytes(kernel_scratch + length);
  return bound;
}

Bound bind_attention_bwd(const BindContext& context) {
  const bool has_bias = context.has_input(4);
  const bool wants_dqkv = context.has_output(0);
  const bool wants_dbias = has_bias && context.has_output(1);
  const Heads heads(context.op<graph::AttentionBwd>().attributes, context.input(1).shape, has_bias);
  Phase phase;
  phase.tasks = heads.tasks();
  phase.run = [=](const Operands& operands, std::int64_t task, std::byte* thread_scratch) {
    auto* scratch = reinterpret_cast<float*>(thread_scratch);
    // A task's own sum over its windows.
    MatrixRows<float> dbias{};
    if (wants_dbias) {
      dbias = {reinterpret_cast<float*>(operands.shared) + task * heads.bias_floats(), heads.bias_stride()};
      std::fill_n(dbias.data, heads.bias_floats(), 0.0f);
    }
    heads.for_each_window(task, [&](const Window& window) {
      const auto target = [&](std::int64_t part) {
        return wants_dqkv ? heads.qkv(operands.out<float>(0), window, part) : ListedRows<float>{};
      };
      kernels::attention_bwd_f32(
          heads.shape, heads.inputs(operands.in<float>(1), has_bias ? operands.in<float>(4) : nullptr, window),
          {heads.y(operands.in<float>(2), window), heads.y(operands.in<float>(0), window),
           heads.lse(operands.in<float>(3), window)},
          {target(0), target(1), target(2), dbias}, scratch);
    });
  };
  Bound bound;
  bound.phases.push_back(std::move(phase));
  bound.thread_scratch = bytes(kernels::attention_bwd_scratch_f32(heads.shape));
  if (!wants_dbias) return bound;
  bound.shared_scratch = bytes(heads.tasks() * heads.bias_floats());
  const auto floats = static_cast<std::size_t>(heads.sizes.heads * heads.bias_floats());
  const auto parts = static_cast<std::size_t>(heads.parts);
  const Slices slices = slice_channels(floats, parts);
  bound.phases.push_back({slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
                            kernels::column_sum_f32(0, parts, slices.begin(task), slices.end(task), floats,
                                                    reinterpret_cast<const float*>(o.shared), o.out<float>(1));
                          }});
  return bound;
}

}  // namespace bramble::engine
