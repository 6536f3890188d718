#include "kernels/cross_covariance_attention/cross_covariance_attention.h"

#include "engine/bind/ops.h"
#include "graph/ops/cross_covariance_attention.h"

namespace bramble::engine {
namespace {

using kernels::MatrixRows;

/// A task is one image's head: where it lies in qkv [N, L, 3, heads, dim], in y [N, L, heads, dim] and in what is kept of
/// it.
struct Heads {
  std::int64_t images, heads;
  kernels::CrossCovarianceShape shape;

  Heads(const graph::Shape& qkv, std::int64_t head_count)
      : images(qkv[0]),
        heads(head_count),
        shape{graph::element_count(qkv) / qkv[0] / qkv.back(), qkv.back() / 3 / head_count} {}

  std::int64_t tasks() const { return images * heads; }
  std::int64_t channels() const { return heads * shape.dim; }

  /// part: 0 for q, 1 for k, 2 for v.
  template <class Value>
  MatrixRows<Value> qkv(Value* base, std::int64_t task, std::int64_t part) const {
    const std::int64_t stride = 3 * channels();
    return {base + task / heads * shape.length * stride + part * channels() + task % heads * shape.dim, stride};
  }
  template <class Value>
  MatrixRows<Value> y(Value* base, std::int64_t task) const {
    return {base + task / heads * shape.length * channels() + task % heads * shape.dim, channels()};
  }
  kernels::HeadInputs inputs(const float* base, std::int64_t task) const {
    return {qkv(base, task, 0), qkv(base, task, 1), qkv(base, task, 2)};
  }
  std::int64_t cosine_elements() const { return shape.dim * kernels::cross_covariance_width(shape.dim); }
  template <class Value>
  kernels::CrossCovarianceSaved<Value> saved(Value* cosines, Value* norms) const {
    return {cosines, norms, norms + shape.dim};
  }
  template <class Value>
  kernels::CrossCovarianceSaved<Value> saved(Value* cosines, Value* norms, std::int64_t task) const {
    return saved(cosines + task * cosine_elements(), norms + task * 2 * shape.dim);
  }
};

std::size_t bytes(std::int64_t floats) { return static_cast<std::size_t>(floats) * sizeof(float); }

}  // namespace

Bound bind_cross_covariance_attention(const BindContext& context) {
  enum Input { kQkv, kTemperature };
  enum Output { kY, kCosines, kNorms };
  const Heads heads(context.input(kQkv).shape, context.op<graph::CrossCovarianceAttention>().attributes.heads);
  const bool keeps = context.has_output(kCosines);
  const std::int64_t kernel_scratch =
      kernels::round_up(kernels::cross_covariance_attention_fwd_scratch_f32(heads.shape), 16);
  const std::int64_t norms_at = kernel_scratch + kernels::round_up(heads.cosine_elements(), 16);
  Bound bound;
  bound.phases.push_back({heads.tasks(), [=](const Operands& o, std::int64_t task, std::byte* thread_scratch) {
                            auto* const scratch = reinterpret_cast<float*>(thread_scratch);
                            const auto saved = keeps ? heads.saved(o.out<float>(kCosines), o.out<float>(kNorms), task)
                                                     : heads.saved(scratch + kernel_scratch, scratch + norms_at);
                            kernels::cross_covariance_attention_fwd_f32(
                                heads.shape, heads.inputs(o.in<float>(kQkv), task),
                                o.in<float>(kTemperature)[task % heads.heads], heads.y(o.out<float>(kY), task), saved,
                                scratch);
                          }});
  bound.thread_scratch = bytes(norms_at + 2 * heads.shape.dim);
  return bound;
}

Bound bind_cross_covariance_attention_bwd(const BindContext& context) {
  enum Input { kDy, kQkv, kTemperature, kCosines, kNorms };
  enum Output { kDqkv, kDtemperature };
  const Heads heads(context.input(kQkv).shape, context.op<graph::CrossCovarianceAttentionBwd>().attributes.heads);
  const std::int64_t kernel_scratch =
      kernels::round_up(kernels::cross_covariance_attention_bwd_scratch_f32(heads.shape), 16);
  const bool has_dqkv = context.has_output(kDqkv);
  Bound bound;
  // Shared scratch: dtemperature of each image and head; dqkv where nobody reads it.
  const std::int64_t unread_at = kernels::round_up(heads.tasks(), 16);
  bound.shared_scratch = bytes(unread_at + (has_dqkv ? 0 : graph::element_count(context.input(kQkv).shape)));
  bound.thread_scratch = bytes(kernel_scratch);
  bound.phases.push_back({heads.tasks(), [=](const Operands& o, std::int64_t task, std::byte* thread_scratch) {
                            auto* const shared = reinterpret_cast<float*>(o.shared);
                            float* const dqkv = has_dqkv ? o.out<float>(kDqkv) : shared + unread_at;
                            shared[task] = kernels::cross_covariance_attention_bwd_f32(
                                heads.shape, heads.inputs(o.in<float>(kQkv), task),
                                o.in<float>(kTemperature)[task % heads.heads], heads.y(o.in<float>(kDy), task),
                                heads.saved(o.in<float>(kCosines), o.in<float>(kNorms), task),
                                {heads.qkv(dqkv, task, 0), heads.qkv(dqkv, task, 1), heads.qkv(dqkv, task, 2)},
                                reinterpret_cast<float*>(thread_scratch));
                          }});
  if (!context.has_output(kDtemperature)) return bound;
  bound.phases.push_back({1, [=](const Operands& o, std::int64_t, std::byte*) {
                            const auto* const shared = reinterpret_cast<const float*>(o.shared);
                            for (std::int64_t head = 0; head < heads.heads; ++head) {
                              double sum = 0;
                              for (std::int64_t n = 0; n < heads.images; ++n) sum += shared[n * heads.heads + head];
                              o.out<float>(kDtemperature)[head] = static_cast<float>(sum);
                            }
                          }});
  return bound;
}

}  // namespace bramble::engine
