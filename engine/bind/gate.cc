#include "kernels/gate/gate.h"

#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "graph/ops/gate.h"

namespace bramble::engine {
namespace {

kernels::GateShape gate_shape(const graph::Shape& x, const graph::Shape& gate) {
  const auto extent = [](std::int64_t value) { return static_cast<std::size_t>(value); };
  return {extent(x[0]), extent(x[1]), extent(x[2]), extent(x[3]), extent(gate[1]), extent(gate[2])};
}

}  // namespace

Bound bind_gate(const BindContext& context) {
  const auto shape = gate_shape(context.input(0).shape, context.input(1).shape);
  const Slices slices = slice_rows(shape.batch * shape.height, shape.width * shape.channels, 1);
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             kernels::gate_fwd_f32(shape, slices.begin(task), slices.end(task), o.in<float>(0), o.in<float>(1),
                                   o.out<float>(0));
           }}}};
}

Bound bind_gate_bwd(const BindContext& context) {
  enum { kDy, kX, kGate };
  enum { kDx, kDgate };
  const auto shape = gate_shape(context.input(kX).shape, context.input(kGate).shape);
  const Slices slices =
      slice_rows(shape.batch * shape.gate_height, shape.height / shape.gate_height * shape.width * shape.channels, 1);
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             kernels::gate_bwd_f32(shape, slices.begin(task), slices.end(task), o.in<float>(kDy), o.in<float>(kX),
                                   o.in<float>(kGate), o.out<float>(kDx), o.out<float>(kDgate));
           }}}};
}

}  // namespace bramble::engine
