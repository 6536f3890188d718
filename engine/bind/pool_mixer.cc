#include "kernels/pool_mixer/pool_mixer.h"

#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "graph/ops/pool_mixer.h"
#include "kernels/column_sum/column_sum.h"

namespace bramble::engine {
namespace {

kernels::PoolMixerShape pool_mixer_shape(const graph::PoolMixerAttributes& attributes, const graph::Shape& x) {
  const auto extent = [](std::int64_t value) { return static_cast<std::size_t>(value); };
  return {extent(x[0]), extent(x[1]), extent(x[2]), extent(x[3]), extent(attributes.kernel / 2),
          attributes.residual};
}

Slices row_slices(const kernels::PoolMixerShape& shape) {
  return slice_rows(shape.batch * shape.height, shape.width * shape.channels, 1);
}

}  // namespace

Bound bind_pool_mixer(const BindContext& context) {
  enum { kX, kGamma };
  const auto shape = pool_mixer_shape(context.op<graph::PoolMixer>().attributes, context.input(kX).shape);
  const bool has_gamma = context.has_input(kGamma);
  const Slices slices = row_slices(shape);
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             kernels::pool_mixer_fwd_f32(shape, slices.begin(task), slices.end(task), o.in<float>(kX),
                                         has_gamma ? o.in<float>(kGamma) : nullptr, o.out<float>(0));
           }}}};
}

Bound bind_pool_mixer_bwd(const BindContext& context) {
  enum { kDy, kX, kGamma };
  enum { kDx, kDgamma };
  const auto shape = pool_mixer_shape(context.op<graph::PoolMixerBwd>().attributes, context.input(kX).shape);
  const bool has_gamma = context.has_input(kGamma), reduce = context.has_output(kDgamma);
  const Slices slices = row_slices(shape);
  Bound bound;
  bound.shared_scratch = reduce ? static_cast<std::size_t>(slices.count) * shape.channels * sizeof(float) : 0;
  bound.phases.push_back({slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
                            float* const partial =
                                reinterpret_cast<float*>(o.shared) + static_cast<std::size_t>(task) * shape.channels;
                            kernels::pool_mixer_bwd_f32(shape, slices.begin(task), slices.end(task), o.in<float>(kDy),
                                                        o.in<float>(kX), has_gamma ? o.in<float>(kGamma) : nullptr,
                                                        o.out<float>(kDx), reduce ? partial : nullptr);
                          }});
  if (reduce) {
    bound.phases.push_back({1, [=](const Operands& o, std::int64_t, std::byte*) {
                              kernels::column_sum_f32(0, static_cast<std::size_t>(slices.count), 0, shape.channels,
                                                      shape.channels, reinterpret_cast<const float*>(o.shared),
                                                      o.out<float>(kDgamma));
                            }});
  }
  return bound;
}

}  // namespace bramble::engine
