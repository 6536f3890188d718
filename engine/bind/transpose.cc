#include "kernels/transpose/transpose.h"

#include <algorithm>

#include "engine/bind/ops.h"
#include "engine/bind/product_cuts.h"
#include "graph/ops/transpose.h"

namespace bramble::engine {

Bound bind_transpose(const BindContext& context) {
  const graph::Shape& x = context.input(0).shape;
  const std::int64_t lines = (x[2] + 15) / 16;  // of y's rows that share x's cache lines
  const std::int64_t cuts = std::clamp<std::int64_t>((kTaskGoal + x[0] - 1) / x[0], 1, lines);
  const kernels::TransposeShape shape{static_cast<std::size_t>(x[1]), static_cast<std::size_t>(x[2])};
  const std::int64_t matrix = x[1] * x[2];
  const bool has_addend = context.has_input(1);
  return {{{x[0] * cuts, [=](const Operands& o, std::int64_t task, std::byte*) {
              const std::int64_t first = task / cuts * matrix, cut = task % cuts;
              const auto row = [&](std::int64_t i) {
                return std::min(static_cast<std::size_t>(lines * i / cuts * 16), shape.cols);
              };
              kernels::transpose_fwd_f32(shape, row(cut), row(cut + 1), o.in<float>(0) + first,
                                         has_addend ? o.in<float>(1) + first : nullptr, o.out<float>(0) + first);
            }}}};
}

}  // namespace bramble::engine
