#include "kernels/adamw/adamw.h"

#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "engine/layout.h"
#include "graph/ops/adamw.h"

namespace bramble::engine {
namespace {

enum Input { kParam, kGrad, kRate, kCorrections, kMean, kVariance, kScale };

}  // namespace

Bound bind_adamw(const BindContext& context) {
  const graph::AdamwAttributes attributes = context.op<graph::Adamw>().attributes;
  const bool has_scale = context.has_input(kScale);
  const Slices slices = slice_elements(storage_elements(context.input(kParam)));
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             const float* corrections = o.in<float>(kCorrections);
             const kernels::AdamwUpdate update{*o.in<float>(kRate),     attributes.beta1, attributes.beta2,
                                               attributes.eps,          attributes.weight_decay,
                                               corrections[0],          corrections[1]};
             kernels::adamw_update_f32(update, has_scale ? *o.in<float>(kScale) : 1.0F, slices.begin(task),
                                       slices.end(task), o.mutable_in<float>(kParam), o.in<float>(kGrad),
                                       o.mutable_in<float>(kMean), o.mutable_in<float>(kVariance));
           }}}};
}

}  // namespace bramble::engine
