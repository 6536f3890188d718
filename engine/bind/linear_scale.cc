#include "kernels/linear/linear_scale.h"

#include <algorithm>

#include "engine/bind/ops.h"
#include "engine/bind/product_cuts.h"
#include "graph/ops/linear_scale.h"

namespace bramble::engine {

Bound bind_linear_scale_bwd(const BindContext& context) {
  enum { kUnscaledDw, kUnscaledDb, kWeight, kBias, kScale };
  enum { kDw, kDb, kDscale };
  const graph::Shape& weight = context.input(kWeight).shape;
  const std::int64_t out = weight[0], in = weight[1];
  const std::int64_t panels = (out + kernels::kGemmTileCols - 1) / kernels::kGemmTileCols;
  const std::int64_t tasks = std::min(panels, kTaskGoal);
  const bool has_bias = context.has_input(kBias);
  return {{{tasks, [=](const Operands& o, std::int64_t task, std::byte*) {
              const kernels::LinearScale layer{in, out, o.in<float>(kWeight),
                                               has_bias ? o.in<float>(kBias) : nullptr, o.in<float>(kScale)};
              kernels::linear_scale_bwd_f32(layer, o.in<float>(kUnscaledDw), o.in<float>(kUnscaledDb),
                                            panels * task / tasks * kernels::kGemmTileCols,
                                            std::min(panels * (task + 1) / tasks * kernels::kGemmTileCols, out),
                                            o.out<float>(kDw), o.out<float>(kDb), o.out<float>(kDscale));
            }}}};
}

}  // namespace bramble::engine
