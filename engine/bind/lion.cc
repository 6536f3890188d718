#include "kernels/lion/lion.h"

#include "engine/bind/ops.h"
#include "engine/bind/weight_update.h"
#include "graph/ops/lion.h"

namespace bramble::engine {
namespace {

enum Input { kParam, kGrad, kRate, kMean, kScale };

}  // namespace

ElementUpdate update_with_lion(const BindContext& context) {
  const UpdateInputs inputs(context);
  const graph::LionAttributes attributes = inputs.op<graph::Lion>().attributes;
  const int param = inputs[kParam], rate = inputs[kRate], mean = inputs[kMean], scale = inputs.optional(kScale);
  return [=](const Operands& o, std::size_t begin, std::size_t end, const float* gradient) {
    const kernels::LionUpdate update{*o.in<float>(rate), attributes.beta1, attributes.beta2, attributes.weight_decay};
    kernels::lion_update_f32(update, scale >= 0 ? *o.in<float>(scale) : 1.0F, 0, end - begin,
                             o.mutable_in<float>(param) + begin, gradient, o.mutable_in<float>(mean) + begin);
  };
}

Bound bind_lion(const BindContext& context) { return bind_update(context, update_with_lion(context)); }

}  // namespace bramble::engine
