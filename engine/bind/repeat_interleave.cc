#include "kernels/repeat_interleave/repeat_interleave.h"

#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "graph/ops/repeat_interleave.h"

namespace bramble::engine {

Bound bind_repeat_interleave(const BindContext& context) {
  const auto times = static_cast<std::size_t>(context.op<graph::RepeatInterleave>().times);
  const Slices slices = slice_elements(static_cast<std::size_t>(graph::element_count(context.input(0).shape)));
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             kernels::repeat_interleave_fwd_f32(slices.begin(task), slices.end(task), times, o.in<float>(0),
                                                o.out<float>(0));
           }}}};
}

Bound bind_repeat_interleave_bwd(const BindContext& context) {
  const auto times = static_cast<std::size_t>(context.op<graph::RepeatInterleaveBwd>().times);
  const Slices slices = slice_elements(static_cast<std::size_t>(graph::element_count(context.output(0).shape)));
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             kernels::repeat_interleave_bwd_f32(slices.begin(task), slices.end(task), times, o.in<float>(0),
                                                o.out<float>(0));
           }}}};
}

}  // namespace bramble::engine
