#include "kernels/adamw/adamw.h"

#include "engine/bind/ops.h"
#include "engine/bind/weight_update.h"
#include "graph/ops/adamw.h"

namespace bramble::engine {
namespace {

enum Input { kParam, kGrad, kRate, kCorrections, kMean, kVariance, kScale };

}  // namespace

ElementUpdate update_with_adamw(const BindContext& context) {
  const UpdateInputs inputs(context);
  const graph::AdamwAttributes attributes = inputs.op<graph::Adamw>().attributes;
  const int param = inputs[kParam], rate = inputs[kRate], corrections = inputs[kCorrections];
  const int mean = inputs[kMean], variance = inputs[kVariance], scale = inputs.optional(kScale);
  return [=](const Operands& o, std::size_t begin, std::size_t end, const float* gradient) {
    const float* correction = o.in<float>(corrections);
    const kernels::AdamwUpdate update{*o.in<float>(rate),      attributes.beta1, attributes.beta2, attributes.eps,
                                      attributes.weight_decay, correction[0],    correction[1]};
    kernels::adamw_update_f32(update, scale >= 0 ? *o.in<float>(scale) : 1.0F, 0, end - begin,
                              o.mutable_in<float>(param) + begin, gradient, o.mutable_in<float>(mean) + begin,
                              o.mutable_in<float>(variance) + begin);
  };
}

Bound bind_adamw(const BindContext& context) { return bind_update(context, update_with_adamw(context)); }

}  // namespace bramble::engine
