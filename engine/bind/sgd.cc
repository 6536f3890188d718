#include "kernels/sgd/sgd.h"

#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "engine/layout.h"
#include "graph/ops/sgd.h"

namespace bramble::engine {
namespace {

enum Input { kParam, kGrad, kRate, kBuffer, kScale };

}  // namespace

Bound bind_sgd(const BindContext& context) {
  const graph::SgdAttributes attributes = context.op<graph::Sgd>().attributes;
  const bool has_buffer = context.has_input(kBuffer);
  const bool has_scale = context.has_input(kScale);
  const Slices slices = slice_elements(storage_elements(context.input(kParam)));
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             const kernels::SgdUpdate update{*o.in<float>(kRate), attributes.momentum, attributes.weight_decay,
                                             attributes.nesterov};
             kernels::sgd_update_f32(update, has_scale ? *o.in<float>(kScale) : 1.0F, slices.begin(task),
                                     slices.end(task), o.mutable_in<float>(kParam), o.in<float>(kGrad),
                                     has_buffer ? o.mutable_in<float>(kBuffer) : nullptr);
           }}}};
}

}  // namespace bramble::engine
