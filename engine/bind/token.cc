#include "kernels/token/token.h"

#include "engine/bind/ops.h"
#include "graph/ops/token.h"
#include "kernels/column_sum/column_sum.h"

// A task a sample: these are copies of a few hundred kilobytes each.
namespace bramble::engine {
namespace {

struct Sequence {
  explicit Sequence(const graph::Shape& shape)
      : batch(shape[0]), length(static_cast<std::size_t>(shape[1])), channels(static_cast<std::size_t>(shape[2])) {}
  std::int64_t batch;
  std::size_t length, channels;
};

enum PrependBackwardOutput { kDx, kDtoken };

std::size_t index(std::int64_t task) { return static_cast<std::size_t>(task); }

}  // namespace

Bound bind_prepend_token(const BindContext& context) {
  const Sequence x(context.input(0).shape);
  return {{{x.batch, [=](const Operands& o, std::int64_t task, std::byte*) {
             kernels::prepend_token_fwd_f32(index(task), index(task) + 1, x.length, x.channels, o.in<float>(0),
                                            o.in<float>(1), o.out<float>(0));
           }}}};
}

Bound bind_prepend_token_bwd(const BindContext& context) {
  const Sequence x(context.output(kDx).shape);
  Bound bound;
  if (context.has_output(kDx)) {
    bound.phases.push_back({x.batch, [=](const Operands& o, std::int64_t task, std::byte*) {
                              kernels::prepend_token_bwd_f32(index(task), index(task) + 1, x.length, x.channels,
                                                             o.in<float>(0), o.out<float>(kDx));
                            }});
  }
  if (context.has_output(kDtoken)) {
    bound.phases.push_back({1, [=](const Operands& o, std::int64_t, std::byte*) {
                              kernels::column_sum_f32(0, index(x.batch), 0, x.channels, (x.length + 1) * x.channels,
                                                      o.in<float>(0), o.out<float>(kDtoken));
                            }});
  }
  return bound;
}

Bound bind_select_token(const BindContext& context) {
  const Sequence x(context.input(0).shape);
  const auto token = index(context.op<graph::SelectToken>().attributes.index);
  return {{{1, [=](const Operands& o, std::int64_t, std::byte*) {
              kernels::select_token_fwd_f32(0, index(x.batch), x.length, x.channels, token, o.in<float>(0),
                                            o.out<float>(0));
            }}}};
}

Bound bind_select_token_bwd(const BindContext& context) {
  const Sequence x(context.output(0).shape);
  const auto token = index(context.op<graph::SelectTokenBwd>().attributes.index);
  return {{{x.batch, [=](const Operands& o, std::int64_t task, std::byte*) {
             kernels::select_token_bwd_f32(index(task), index(task) + 1, x.length, x.channels, token, o.in<float>(0),
                                           o.out<float>(0));
           }}}};
}

}  // namespace bramble::engine
