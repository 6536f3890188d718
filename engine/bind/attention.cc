#include "graph/ops/attention.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/bind/ops.h"
#include "kernels/attention/attention.h"

namespace bramble::engine {
namespace {

using kernels::AttentionShape;
using kernels::MatrixRows;

/// Tasks that keep four cores evenly busy; where images and heads are fewer, the forward also cuts the queries.
constexpr std::int64_t kTaskGoal = 16;
/// Queries for which packing the keys and values once more is still cheap; cuts are at whole panels of the kernel.
constexpr std::int64_t kFewestQueries = 32;
constexpr std::int64_t kPanel = 12;

/// Where head `head` of image `image` lies in qkv [N, L, 3, heads, head_dim] and in y [N, L, heads, head_dim].
struct HeadGrid {
  std::int64_t images, heads, length, head_dim;
  float scale;

  HeadGrid(const graph::Shape& qkv, const graph::AttentionAttributes& attributes)
      : images(qkv[0]),
        heads(attributes.heads),
        length(qkv[1]),
        head_dim(qkv[2] / (3 * attributes.heads)),
        scale(attributes.scale != 0 ? attributes.scale : 1 / std::sqrt(static_cast<float>(head_dim))) {}

  AttentionShape shape() const { return {length, length, head_dim, scale}; }
  std::int64_t channels() const { return heads * head_dim; }
  std::int64_t tasks() const { return images * heads; }

  /// part: 0 for q, 1 for k, 2 for v.
  template <class Value>
  MatrixRows<Value> qkv(Value* base, std::int64_t task, std::int64_t part) const {
    const std::int64_t stride = 3 * channels();
    return {base + task / heads * length * stride + part * channels() + task % heads * head_dim, stride};
  }
  template <class Value>
  MatrixRows<Value> y(Value* base, std::int64_t task) const {
    return {base + task / heads * length * channels() + task % heads * head_dim, channels()};
  }
  template <class Value>
  Value* lse(Value* base, std::int64_t task) const {
    return base + task * length;
  }
  kernels::AttentionInputs inputs(const float* base, std::int64_t task) const {
    return {qkv(base, task, 0), qkv(base, task, 1), qkv(base, task, 2)};
  }
};

std::size_t bytes(std::int64_t floats) { return static_cast<std::size_t>(floats) * sizeof(float); }

}  // namespace

Bound bind_attention(const BindContext& context) {
  const HeadGrid grid(context.input(0).shape, context.op<graph::Attention>().attributes);
  const std::int64_t cuts = std::clamp((kTaskGoal + grid.tasks() - 1) / grid.tasks(), std::int64_t{1},
                                       (grid.length + kFewestQueries - 1) / kFewestQueries);
  const std::int64_t panels = (grid.length + kPanel - 1) / kPanel;
  const bool keeps_lse = context.has_output(1);
  const std::int64_t kernel_scratch = kernels::attention_fwd_scratch_f32(grid.shape());
  Phase phase;
  phase.tasks = grid.tasks() * cuts;
  phase.run = [=](const Operands& operands, std::int64_t task, std::byte* thread_scratch) {
    const std::int64_t head = task / cuts, cut = task % cuts;
    auto* scratch = reinterpret_cast<float*>(thread_scratch);
    float* lse = keeps_lse ? grid.lse(operands.out<float>(1), head) : scratch + kernel_scratch;
    kernels::attention_fwd_f32(grid.shape(), grid.inputs(operands.in<float>(0), head),
                               grid.y(operands.out<float>(0), head), lse, panels * cut / cuts * kPanel,
                               std::min(panels * (cut + 1) / cuts * kPanel, grid.length), scratch);
  };
  Bound bound;
  bound.phases.push_back(std::move(phase));
  bound.thread_scratch = bytes(kernel_scratch + (keeps_lse ? 0 : grid.length));
  return bound;
}

Bound bind_attention_bwd(const BindContext& context) {
  const HeadGrid grid(context.input(1).shape, context.op<graph::AttentionBwd>().attributes);
  Phase phase;
  phase.tasks = grid.tasks();
  phase.run = [=](const Operands& operands, std::int64_t task, std::byte* thread_scratch) {
    float* dqkv = operands.out<float>(0);
    kernels::attention_bwd_f32(
        grid.shape(), grid.inputs(operands.in<float>(1), task),
        {grid.y(operands.in<float>(2), task), grid.y(operands.in<float>(0), task),
         grid.lse(operands.in<float>(3), task)},
        {grid.qkv(dqkv, task, 0), grid.qkv(dqkv, task, 1), grid.qkv(dqkv, task, 2)},
        reinterpret_cast<float*>(thread_scratch));
  };
  Bound bound;
  bound.phases.push_back(std::move(phase));
  bound.thread_scratch = bytes(kernels::attention_bwd_scratch_f32(grid.shape()));
  return bound;
}

}  // namespace bramble::engine
