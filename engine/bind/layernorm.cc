#include "kernels/layernorm/layernorm.h"

#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "engine/layout.h"
#include "graph/ops/layernorm.h"
#include "kernels/column_sum/column_sum.h"

namespace bramble::engine {
namespace {

struct Forward {
  enum Input { kX, kGamma, kBeta, kResidual };
  enum Output { kY, kMean, kRstd, kS };
};

struct Backward {
  enum Input { kDy, kS, kGamma, kMean, kRstd, kDs };
  enum Output { kDx, kDgamma, kDbeta };
};

}  // namespace

Bound bind_layernorm(const BindContext& context) {
  using Op = Forward;
  const graph::Shape& shape = context.input(Op::kX).shape;
  const auto channels = static_cast<std::size_t>(shape.back());
  const Slices slices = slice_rows(static_cast<std::size_t>(graph::element_count(shape)) / channels, channels, 1);
  const auto y_stride = static_cast<std::size_t>(row_stride(context.output(Op::kY)));
  const float eps = context.op<graph::LayerNorm>().attributes.eps;
  const bool has_residual = context.has_input(Op::kResidual);
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             const kernels::LayernormForward operands{
                 channels, eps, o.in<float>(Op::kX), has_residual ? o.in<float>(Op::kResidual) : nullptr,
                 o.in<float>(Op::kGamma), o.in<float>(Op::kBeta), has_residual ? o.out<float>(Op::kS) : nullptr,
                 o.out<float>(Op::kY), o.out<float>(Op::kMean), o.out<float>(Op::kRstd), y_stride};
             kernels::layernorm_fwd_f32(operands, slices.begin(task), slices.end(task));
           }}}};
}

Bound bind_layernorm_bwd(const BindContext& context) {
  using Op = Backward;
  const graph::Shape& shape = context.input(Op::kS).shape;
  const auto channels = static_cast<std::size_t>(shape.back());
  const Slices slices = slice_rows(static_cast<std::size_t>(graph::element_count(shape)) / channels, channels, 2);
  const auto count = static_cast<std::size_t>(slices.count);
  const bool has_ds = context.has_input(Op::kDs);
  const bool reduce = context.has_output(Op::kDgamma) || context.has_output(Op::kDbeta);
  Bound bound;
  // dgamma and dbeta of each slice, side by side.
  bound.shared_scratch = reduce ? count * 2 * channels * sizeof(float) : 0;
  bound.phases.push_back({slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
    const kernels::LayernormBackward operands{channels, o.in<float>(Op::kDy), o.in<float>(Op::kS),
                                              o.in<float>(Op::kGamma), o.in<float>(Op::kMean),
                                              o.in<float>(Op::kRstd), has_ds ? o.in<float>(Op::kDs) : nullptr,
                                              o.out<float>(Op::kDx)};
    float* partial = reinterpret_cast<float*>(o.shared) + static_cast<std::size_t>(task) * 2 * channels;
    kernels::layernorm_bwd_f32(operands, slices.begin(task), slices.end(task), reduce ? partial : nullptr,
                               reduce ? partial + channels : nullptr);
  }});
  if (!reduce) return bound;
  bound.phases.push_back({2, [=](const Operands& o, std::int64_t task, std::byte*) {
    float* sum = o.out<float>(task == 0 ? Op::kDgamma : Op::kDbeta);
    const float* partials = reinterpret_cast<const float*>(o.shared) + static_cast<std::size_t>(task) * channels;
    if (sum != nullptr) kernels::column_sum_f32(0, count, 0, channels, 2 * channels, partials, sum);
  }});
  return bound;
}

}  // namespace bramble::engine
