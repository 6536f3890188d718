#include "kernels/dropout/dropout.h"

#include <algorithm>

#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "graph/ops/dropout.h"
#include "kernels/drop_path/drop_path.h"

namespace bramble::engine {
namespace {

enum Input { kX, kStep, kAddend };

kernels::RandomStream stream_of(const graph::DropAttributes& attributes, const Operands& o) {
  return {attributes.seed, attributes.layer, static_cast<std::uint32_t>(o.in<std::int32_t>(kStep)[0])};
}

}  // namespace

Bound bind_dropout(const BindContext& context) {
  const graph::DropAttributes attributes = context.op<graph::Dropout>().attributes;
  const Slices slices = slice_elements(static_cast<std::size_t>(graph::element_count(context.output(0).shape)));
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             kernels::dropout_f32(stream_of(attributes, o), attributes.rate, slices.begin(task), slices.end(task),
                                  o.in<float>(kX), o.out<float>(0));
           }}}};
}

Bound bind_drop_path(const BindContext& context) {
  const graph::DropAttributes attributes = context.op<graph::DropPath>().attributes;
  const graph::Shape& shape = context.output(0).shape;
  const auto elements = static_cast<std::size_t>(graph::element_count(shape));
  const std::size_t sample = elements / static_cast<std::size_t>(shape[0]);
  const Slices slices = slice_elements(elements);
  const bool has_addend = context.has_input(kAddend);
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             const kernels::RandomStream stream = stream_of(attributes, o);
             for (std::size_t i = slices.begin(task), end = i; i < slices.end(task); i = end) {
               const std::size_t n = i / sample;
               end = std::min(slices.end(task), (n + 1) * sample);
               kernels::drop_path_f32(kernels::drop_path_factor(stream, attributes.rate, n), i, end, o.in<float>(kX),
                                      has_addend ? o.in<float>(kAddend) : nullptr, o.out<float>(0));
             }
           }}}};
}

}  // namespace bramble::engine
