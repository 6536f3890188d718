#include "kernels/add/add.h"

#include "engine/bind/activation.h"
#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "engine/layout.h"
#include "graph/ops/add.h"

namespace bramble::engine {

Bound bind_add(const BindContext& context) {
  const kernels::Activation activation = to_kernel(context.op<graph::Add>().attributes.activation);
  const Slices slices = slice_elements(storage_elements(context.output(0)));
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             kernels::add_fwd_f32(activation, slices.begin(task), slices.end(task), o.in<float>(0), o.in<float>(1),
                                  o.out<float>(0));
           }}}};
}

}  // namespace bramble::engine
