#include "kernels/sgd/sgd.h"

#include "engine/bind/ops.h"
#include "engine/bind/weight_update.h"
#include "graph/ops/sgd.h"

namespace bramble::engine {
namespace {

enum Input { kParam, kGrad, kRate, kBuffer, kScale };

}  // namespace

ElementUpdate update_with_sgd(const BindContext& context) {
  const CopiedUpdate copied = copied_update_with_sgd(context);
  return [copied](const Operands& o, std::size_t begin, std::size_t end, const float* gradient) {
    copied.run(o, end - begin, gradient, o.mutable_in<float>(copied.parameter) + begin,
               copied.state >= 0 ? o.mutable_in<float>(copied.state) + begin : nullptr);
  };
}

CopiedUpdate copied_update_with_sgd(const BindContext& context) {
  const UpdateInputs inputs(context);
  const graph::SgdAttributes attributes = inputs.op<graph::Sgd>().attributes;
  const int rate = inputs[kRate], scale = inputs.optional(kScale);
  return {inputs[kParam], inputs.optional(kBuffer),
          [=](const Operands& o, std::size_t count, const float* gradient, float* parameter, float* buffer) {
            const kernels::SgdUpdate update{*o.in<float>(rate), attributes.momentum, attributes.weight_decay,
                                            attributes.nesterov};
            kernels::sgd_update_f32(update, scale >= 0 ? *o.in<float>(scale) : 1.0F, 0, count, parameter, gradient,
                                    buffer);
          }};
}

Bound bind_sgd(const BindContext& context) { return bind_update(context, update_with_sgd(context)); }

}  // namespace bramble::engine
