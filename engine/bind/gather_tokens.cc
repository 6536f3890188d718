#include "kernels/gather_tokens/gather_tokens.h"

#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "graph/ops/gather_tokens.h"

namespace bramble::engine {

// The op outlives its binding, so that its lists need not be copied.
Bound bind_gather_tokens(const BindContext& context) {
  const graph::TokenLists& tokens = context.op<graph::GatherTokens>().lists;
  const kernels::TokenLists lists{tokens.length(), tokens.starts.data(), tokens.rows.data()};
  const graph::Shape& y = context.output(0).shape;
  const bool two = context.has_input(1);
  const std::int64_t first = context.input(0).shape[1], second = two ? context.input(1).shape[1] : 0;
  const std::int64_t channels = y[2];
  const Slices slices = slice_rows(static_cast<std::size_t>(y[0] * y[1]), static_cast<std::size_t>(channels));
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             kernels::gather_tokens_f32(static_cast<std::int64_t>(slices.begin(task)),
                                        static_cast<std::int64_t>(slices.end(task)), channels, lists,
                                        {o.in<float>(0), first}, {two ? o.in<float>(1) : nullptr, second},
                                        o.out<float>(0));
           }}}};
}

}  // namespace bramble::engine
