#include "kernels/lion/lion.h"

#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "engine/layout.h"
#include "graph/ops/lion.h"

namespace bramble::engine {
namespace {

enum Input { kParam, kGrad, kRate, kMean, kScale };

}  // namespace

Bound bind_lion(const BindContext& context) {
  const graph::LionAttributes attributes = context.op<graph::Lion>().attributes;
  const bool has_scale = context.has_input(kScale);
  const Slices slices = slice_elements(storage_elements(context.input(kParam)));
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             const kernels::LionUpdate update{*o.in<float>(kRate), attributes.beta1, attributes.beta2,
                                              attributes.weight_decay};
             kernels::lion_update_f32(update, has_scale ? *o.in<float>(kScale) : 1.0F, slices.begin(task),
                                      slices.end(task), o.mutable_in<float>(kParam), o.in<float>(kGrad),
                                      o.mutable_in<float>(kMean));
           }}}};
}

}  // namespace bramble::engine
