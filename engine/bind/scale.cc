#include "kernels/scale/scale.h"

#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "graph/ops/scale.h"
#include "kernels/column_sum/column_sum.h"

namespace bramble::engine {
namespace {

enum BackwardInput { kDy, kX, kGamma };
enum BackwardOutput { kDx, kDgamma };

}  // namespace

Bound bind_scale(const BindContext& context) {
  const graph::Shape& shape = context.output(0).shape;
  const auto channels = static_cast<std::size_t>(shape.back());
  const Slices slices = slice_rows(static_cast<std::size_t>(graph::element_count(shape)) / channels, channels);
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             kernels::scale_fwd_f32(slices.begin(task), slices.end(task), channels, o.in<float>(0), o.in<float>(1),
                                    o.out<float>(0));
           }}}};
}

Bound bind_scale_bwd(const BindContext& context) {
  const graph::Shape& shape = context.input(kDy).shape;
  const auto channels = static_cast<std::size_t>(shape.back());
  const Slices slices = slice_rows(static_cast<std::size_t>(graph::element_count(shape)) / channels, channels);
  const bool reduce = context.has_output(kDgamma);
  Bound bound;
  bound.shared_scratch = reduce ? static_cast<std::size_t>(slices.count) * channels * sizeof(float) : 0;
  bound.phases.push_back({slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
                            float* partials = reinterpret_cast<float*>(o.shared);
                            kernels::scale_bwd_f32(
                                slices.begin(task), slices.end(task), channels, o.in<float>(kDy),
                                o.in<float>(kX), o.in<float>(kGamma), o.out<float>(kDx),
                                reduce ? partials + static_cast<std::size_t>(task) * channels : nullptr);
                          }});
  if (reduce) {
    bound.phases.push_back({1, [=](const Operands& o, std::int64_t, std::byte*) {
                              kernels::column_sum_f32(0, static_cast<std::size_t>(slices.count), 0, channels, channels,
                                                      reinterpret_cast<const float*>(o.shared),
                                                      o.out<float>(kDgamma));
                            }});
  }
  return bound;
}

}  // namespace bramble::engine
