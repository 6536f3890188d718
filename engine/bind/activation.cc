#include "engine/bind/activation.h"

#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "graph/ops/activation.h"

namespace bramble::engine {

Bound bind_activation(const BindContext& context) {
  const kernels::Activation kind = to_kernel(context.op<graph::ActivationOp>().kind);
  const Slices slices = slice_elements(static_cast<std::size_t>(graph::element_count(context.output(0).shape)));
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             kernels::activation_fwd_f32(kind, slices.begin(task), slices.end(task), o.in<float>(0), o.out<float>(0));
           }}}};
}

Bound bind_activation_bwd(const BindContext& context) {
  const kernels::Activation kind = to_kernel(context.op<graph::ActivationBwd>().kind);
  const Slices slices = slice_elements(static_cast<std::size_t>(graph::element_count(context.output(0).shape)));
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             kernels::activation_bwd_f32(kind, slices.begin(task), slices.end(task), o.in<float>(0), o.in<float>(1),
                                         o.out<float>(0));
           }}}};
}

}  // namespace bramble::engine
