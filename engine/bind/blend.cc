#include "kernels/blend/blend.h"

#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "engine/layout.h"

namespace bramble::engine {
namespace {

enum Input { kTarget, kAdded, kWeights };

}  // namespace

Bound bind_blend(const BindContext& context) {
  const Slices slices = slice_elements(storage_elements(context.input(kTarget)));
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             const float* weights = o.in<float>(kWeights);
             kernels::blend_f32(weights[0], weights[1], slices.begin(task), slices.end(task),
                                o.mutable_in<float>(kTarget), o.in<float>(kAdded));
           }}}};
}

}  // namespace bramble::engine
