#include "graph/ops/attention.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "engine/bind/attention_windows.h"
#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "kernels/attention/attention.h"
#include "kernels/attention/window_rows.h"
#include "kernels/column_sum/column_sum.h"
#include "kernels/gemm/gemm.h"

namespace bramble::engine {
namespace {

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
  std::shared_ptr<const AttentionWindows> partition;  ///< null: a window is an image's whole sequence
  std::int64_t parts;                                 ///< of all images' windows; a task is one head of one part

  Heads(const graph::AttentionAttributes& attributes, const graph::Shape& qkv, bool has_bias)
      : sizes(attributes, qkv), order(attributes.order), parts(sizes.images * sizes.windows) {
    const float scale = attributes.scale != 0 ? attributes.scale : 1 / std::sqrt(static_cast<float>(sizes.key_dim));
    shape = {sizes.length, sizes.length, sizes.key_dim, sizes.value_dim, scale};
    if (attributes.partition.kind != graph::WindowPartition::Kind::none)
      partition = std::make_shared<AttentionWindows>(attributes.partition, qkv[1], qkv[2]);
    if (partition || has_bias) parts = std::min(parts, (kWindowTaskGoal + sizes.heads - 1) / sizes.heads);
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

  /// part: 0 for q, 1 for k, 2 for v. Of the whole image.
  template <class Value>
  MatrixRows<Value> qkv(Value* base, const Window& window, std::int64_t part) const {
    const std::int64_t image = window.image * sizes.windows * sizes.length * qkv_stride();
    const std::int64_t own = part == 2 ? sizes.value_dim : sizes.key_dim;
    const std::int64_t column = order == graph::AttentionAttributes::Order::parts_heads
                                    ? part * sizes.heads * sizes.key_dim + window.head * own
                                    : window.head * (2 * sizes.key_dim + sizes.value_dim) + part * sizes.key_dim;
    return {base + image + column, qkv_stride()};
  }
  template <class Value>
  MatrixRows<Value> y(Value* base, const Window& window) const {
    const std::int64_t image = window.image * sizes.windows * sizes.length * values();
    return {base + image + window.head * sizes.value_dim, values()};
  }
  template <class Value>
  Value* lse(Value* base, const Window& window) const {
    return base + ((window.image * sizes.heads + window.head) * sizes.windows + window.number) * sizes.length;
  }
  kernels::AttentionInputs inputs(const float* base, const float* bias, const Window& window) const {
    kernels::AttentionInputs all{qkv(base, window, 0), qkv(base, window, 1), qkv(base, window, 2)};
    if (bias) all.bias = {bias + window.head * bias_floats(), bias_stride()};
    if (partition) all.mask = {partition->mask(window.number), partition->mask_stride()};
    return all;
  }
};

/// Matrices of one head of one window, side by side in a thread's scratch.
class WindowScratch {
 public:
  WindowScratch(const Heads& heads, float* floats) : heads_(heads), next_(floats) {}

  static std::int64_t floats(const Heads& heads, std::int64_t of_keys, std::int64_t of_values) {
    return heads.sizes.length * (of_keys * heads.sizes.key_dim + of_values * heads.sizes.value_dim);
  }

  MatrixRows<float> take(std::int64_t dim) {
    MatrixRows<float> rows{next_, dim};
    next_ += heads_.sizes.length * dim;
    return rows;
  }
  MatrixRows<const float> gather(std::int64_t dim, const MatrixRows<const float>& source, const Window& window) {
    const MatrixRows<float> rows = take(dim);
    kernels::gather_window_f32(heads_.sizes.length, dim, source, heads_.partition->rows(window.number), rows);
    return {rows.data, rows.stride};
  }
  void gather(kernels::AttentionInputs& inputs, const Window& window) {
    inputs.q = gather(heads_.sizes.key_dim, inputs.q, window);
    inputs.k = gather(heads_.sizes.key_dim, inputs.k, window);
    inputs.v = gather(heads_.sizes.value_dim, inputs.v, window);
  }
  void scatter(std::int64_t dim, const MatrixRows<float>& from, const Window& window, const MatrixRows<float>& to) {
    kernels::scatter_window_f32(heads_.sizes.length, dim, {from.data, from.stride},
                                heads_.partition->rows(window.number), to);
  }

 private:
  const Heads& heads_;
  float* next_;
};

std::size_t bytes(std::int64_t floats) { return static_cast<std::size_t>(floats) * sizeof(float); }

}  // namespace

Bound bind_attention(const BindContext& context) {
  const bool has_bias = context.has_input(1);
  const Heads heads(context.op<graph::Attention>().attributes, context.input(0).shape, has_bias);
  const std::int64_t length = heads.sizes.length;
  // A partition's windows are small, and gathered: they stay whole.
  const std::int64_t cuts = heads.partition
                                ? 1
                                : std::clamp((kTaskGoal + heads.tasks() - 1) / heads.tasks(), std::int64_t{1},
                                             (length + kFewestQueries - 1) / kFewestQueries);
  const std::int64_t panels = (length + kPanel - 1) / kPanel;
  const bool keeps_lse = context.has_output(1);
  const std::int64_t kernel_scratch = kernels::attention_fwd_scratch_f32(heads.shape);
  const std::int64_t lse_scratch = kernels::round_up(length, 16);
  Phase phase;
  phase.tasks = heads.tasks() * cuts;
  phase.run = [=](const Operands& operands, std::int64_t task, std::byte* thread_scratch) {
    const std::int64_t begin = panels * (task % cuts) / cuts * kPanel;
    const std::int64_t end = std::min(panels * (task % cuts + 1) / cuts * kPanel, length);
    auto* scratch = reinterpret_cast<float*>(thread_scratch);
    const float* bias = has_bias ? operands.in<float>(1) : nullptr;
    heads.for_each_window(task / cuts, [&](const Window& window) {
      kernels::AttentionInputs inputs = heads.inputs(operands.in<float>(0), bias, window);
      const MatrixRows<float> y = heads.y(operands.out<float>(0), window);
      float* lse = keeps_lse ? heads.lse(operands.out<float>(1), window) : scratch + kernel_scratch;
      if (!heads.partition) {
        kernels::attention_fwd_f32(heads.shape, inputs, y, lse, begin, end, scratch);
        return;
      }
      WindowScratch own(heads, scratch + kernel_scratch + lse_scratch);
      own.gather(inputs, window);
      const MatrixRows<float> own_y = own.take(heads.sizes.value_dim);
      kernels::attention_fwd_f32(heads.shape, inputs, own_y, lse, begin, end, scratch);
      own.scatter(heads.sizes.value_dim, own_y, window, y);
    });
  };
  Bound bound;
  bound.phases.push_back(std::move(phase));
  bound.thread_scratch =
      bytes(kernel_scratch + lse_scratch + (heads.partition ? WindowScratch::floats(heads, 2, 2) : 0));
  return bound;
}

Bound bind_attention_bwd(const BindContext& context) {
  const bool has_bias = context.has_input(4);
  const bool wants_dqkv = context.has_output(0);
  const bool wants_dbias = has_bias && context.has_output(1);
  const Heads heads(context.op<graph::AttentionBwd>().attributes, context.input(1).shape, has_bias);
  const std::int64_t kernel_scratch = kernels::attention_bwd_scratch_f32(heads.shape);
  const bool in_place = !heads.partition && wants_dqkv;
  Phase phase;
  phase.tasks = heads.tasks();
  phase.run = [=](const Operands& operands, std::int64_t task, std::byte* thread_scratch) {
    auto* scratch = reinterpret_cast<float*>(thread_scratch);
    const std::int64_t key_dim = heads.sizes.key_dim, value_dim = heads.sizes.value_dim;
    // A task's own sum over its windows.
    MatrixRows<float> dbias{};
    if (wants_dbias) {
      dbias = {reinterpret_cast<float*>(operands.shared) + task * heads.bias_floats(), heads.bias_stride()};
      std::fill_n(dbias.data, heads.bias_floats(), 0.0f);
    }
    heads.for_each_window(task, [&](const Window& window) {
      kernels::AttentionInputs inputs =
          heads.inputs(operands.in<float>(1), has_bias ? operands.in<float>(4) : nullptr, window);
      kernels::AttentionSaved saved{heads.y(operands.in<float>(2), window), heads.y(operands.in<float>(0), window),
                                    heads.lse(operands.in<float>(3), window)};
      WindowScratch own(heads, scratch + kernel_scratch);
      if (heads.partition) {
        own.gather(inputs, window);
        saved.y = own.gather(value_dim, saved.y, window);
        saved.dy = own.gather(value_dim, saved.dy, window);
      }
      float* dqkv = operands.out<float>(0);
      const auto target = [&](std::int64_t part, std::int64_t dim) {
        return in_place ? heads.qkv(dqkv, window, part) : own.take(dim);
      };
      const kernels::AttentionGradients gradients{target(0, key_dim), target(1, key_dim), target(2, value_dim), dbias};
      kernels::attention_bwd_f32(heads.shape, inputs, saved, gradients, scratch);
      if (in_place || !wants_dqkv) return;
      own.scatter(key_dim, gradients.dq, window, heads.qkv(dqkv, window, 0));
      own.scatter(key_dim, gradients.dk, window, heads.qkv(dqkv, window, 1));
      own.scatter(value_dim, gradients.dv, window, heads.qkv(dqkv, window, 2));
    });
  };
  Bound bound;
  bound.phases.push_back(std::move(phase));
  bound.thread_scratch = bytes(kernel_scratch + (in_place ? 0 : WindowScratch::floats(heads, 4, 4)));
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
