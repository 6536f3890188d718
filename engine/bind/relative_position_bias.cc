#include "kernels/relative_position_bias/relative_position_bias.h"

#include "engine/bind/ops.h"
#include "graph/ops/relative_position_bias.h"

// A task a head. The op outlives its binding, so that its index need not be copied.
namespace bramble::engine {
namespace {

kernels::RelativePositionShape shape_of(const graph::RelativePositionAttributes& attributes,
                                        const graph::Shape& table, std::int64_t heads) {
  kernels::RelativePositionShape shape;
  shape.keys = shape.queries = attributes.length;
  shape.index = attributes.index.data();
  shape.entries = graph::element_count(table) / heads;
  shape.entry_stride = attributes.heads_first ? 1 : heads;
  shape.head_stride = attributes.heads_first ? shape.entries : 1;
  shape.factor = attributes.factor;
  return shape;
}

}  // namespace

Bound bind_relative_position_bias(const BindContext& context) {
  const std::int64_t heads = context.output(0).shape[0];
  const auto shape =
      shape_of(context.op<graph::RelativePositionBias>().attributes, context.input(0).shape, heads);
  return {{{heads, [=](const Operands& o, std::int64_t head, std::byte*) {
             kernels::relative_position_bias_fwd_f32(shape, head, head + 1, o.in<float>(0), o.out<float>(0));
           }}}};
}

Bound bind_relative_position_bias_bwd(const BindContext& context) {
  const std::int64_t heads = context.input(0).shape[0];
  const auto shape =
      shape_of(context.op<graph::RelativePositionBiasBwd>().attributes, context.output(0).shape, heads);
  return {{{heads, [=](const Operands& o, std::int64_t head, std::byte*) {
             kernels::relative_position_bias_bwd_f32(shape, head, head + 1, o.in<float>(0), o.out<float>(0));
           }}}};
}

}  // namespace bramble::engine
