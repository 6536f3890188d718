#include "graph/ops/constant.h"

#include <algorithm>

#include "engine/bind/ops.h"

namespace bramble::engine {

// Written anew in each step: its place in the arena is others' in between.
Bound bind_constant(const BindContext& context) {
  const std::vector<float>* values = &context.op<graph::Constant>().values;
  return {{{1, [=](const Operands& o, std::int64_t, std::byte*) { std::ranges::copy(*values, o.out<float>(0)); }}}};
}

}  // namespace bramble::engine
