#include "kernels/linear_attention/linear_attention.h"

#include "engine/bind/ops.h"
#include "graph/ops/linear_attention.h"

namespace bramble::engine {
namespace {

using kernels::MatrixRows;

/// A task is one image's head: where it lies in its scale's qkv [N, L, heads, 3, head_dim], in y
/// [N, L, scales, heads, head_dim] and in the state [N, scales, heads, head_dim, width].
struct Heads {
  std::int64_t images, length, scales, heads, dim;

  Heads(const graph::Shape& y, std::int64_t scale_count, std::int64_t head_dim)
      : images(y[0]),
        length(graph::element_count(y) / y[0] / y.back()),
        scales(scale_count),
        heads(y.back() / head_dim / scale_count),
        dim(head_dim) {}

  std::int64_t tasks() const { return images * scales * heads; }
  std::int64_t scale(std::int64_t task) const { return task / heads % scales; }

  /// part: 0 for q, 1 for k, 2 for v.
  template <class Value>
  MatrixRows<Value> qkv(Value* base, std::int64_t task, std::int64_t part) const {
    const std::int64_t stride = 3 * heads * dim;
    return {base + task / (scales * heads) * length * stride + (3 * (task % heads) + part) * dim, stride};
  }
  template <class Value>
  MatrixRows<Value> y(Value* base, std::int64_t task) const {
    const std::int64_t stride = scales * heads * dim;
    return {base + task / (scales * heads) * length * stride + task % (scales * heads) * dim, stride};
  }
  std::int64_t state_elements() const { return dim * kernels::linear_attention_state_width(dim); }
  kernels::HeadInputs inputs(const float* base, std::int64_t task) const {
    return {qkv(base, task, 0), qkv(base, task, 1), qkv(base, task, 2)};
  }
};

std::size_t bytes(std::int64_t floats) { return static_cast<std::size_t>(floats) * sizeof(float); }

}  // namespace

Bound bind_linear_attention(const BindContext& context) {
  const auto& attributes = context.op<graph::LinearAttention>().attributes;
  const Heads heads(context.output(0).shape, context.inputs(), attributes.head_dim);
  const kernels::LinearAttentionShape shape{heads.length, heads.dim, attributes.eps};
  const std::int64_t kernel_scratch = kernels::round_up(kernels::linear_attention_fwd_scratch_f32(shape), 16);
  Bound bound;
  bound.phases.push_back({heads.tasks(), [=](const Operands& o, std::int64_t task, std::byte* thread_scratch) {
                            auto* scratch = reinterpret_cast<float*>(thread_scratch);
                            float* const kept = o.out<float>(1);
                            float* const state = kept ? kept + task * heads.state_elements() : scratch + kernel_scratch;
                            const auto* qkv = o.in<float>(static_cast<int>(heads.scale(task)));
                            kernels::linear_attention_fwd_f32(shape, heads.inputs(qkv, task),
                                                              heads.y(o.out<float>(0), task), state, scratch);
                          }});
  bound.thread_scratch = bytes(kernel_scratch + heads.state_elements());
  return bound;
}

Bound bind_linear_attention_bwd(const BindContext& context) {
  enum Input { kDy, kY, kState, kFirstScale };
  const auto& attributes = context.op<graph::LinearAttentionBwd>().attributes;
  const Heads heads(context.input(kY).shape, context.inputs() - kFirstScale, attributes.head_dim);
  const kernels::LinearAttentionShape shape{heads.length, heads.dim, attributes.eps};
  Bound bound;
  bound.phases.push_back({heads.tasks(), [=](const Operands& o, std::int64_t task, std::byte* thread_scratch) {
                            const int scale = static_cast<int>(heads.scale(task));
                            float* const dqkv = o.out<float>(scale);
                            if (dqkv == nullptr) return;
                            kernels::linear_attention_bwd_f32(
                                shape, heads.inputs(o.in<float>(kFirstScale + scale), task),
                                {heads.y(o.in<float>(kY), task), heads.y(o.in<float>(kDy), task),
                                 o.in<float>(kState) + task * heads.state_elements()},
                                {heads.qkv(dqkv, task, 0), heads.qkv(dqkv, task, 1), heads.qkv(dqkv, task, 2)},
                                reinterpret_cast<float*>(thread_scratch));
                          }});
  bound.thread_scratch = bytes(kernels::linear_attention_bwd_scratch_f32(shape));
  return bound;
}

}  // namespace bramble::engine
