#include "kernels/linear/linear_scale.h"

#include <algorithm>

#include "engine/bind/ops.h"
#include "engine/bind/product_cuts.h"
#include "engine/bind/weight_update.h"
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
  const WeightUpdate update(context);
  Bound bound;
  bound.thread_scratch = update ? static_cast<std::size_t>(in * kernels::kGemmTileCols) * sizeof(float) : 0;
  bound.phases.push_back(
      {tasks, [=](const Operands& o, std::int64_t task, std::byte* thread_scratch) {
         const kernels::LinearScale layer{in, out, o.in<float>(kWeight), has_bias ? o.in<float>(kBias) : nullptr,
                                          o.in<float>(kScale)};
         // Panel by panel: an update finds the gradient in L2.
         for (std::int64_t panel = panels * task / tasks; panel < panels * (task + 1) / tasks; ++panel) {
           const std::int64_t col = panel * kernels::kGemmTileCols, end = std::min(col + kernels::kGemmTileCols, out);
           float* dw = reinterpret_cast<float*>(thread_scratch);
           if (!update) dw = o.out<float>(kDw) ? o.out<float>(kDw) + col * in : nullptr;
           kernels::linear_scale_bwd_f32(layer, o.in<float>(kUnscaledDw), o.in<float>(kUnscaledDb), col, end, dw,
                                         o.out<float>(kDb), o.out<float>(kDscale));
           if (update) update.apply(o, col * in, col * in + in * kernels::round_up(end - col, 4), dw);
         }
       }});
  return bound;
}

}  // namespace bramble::engine
