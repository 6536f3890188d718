#include "kernels/bias/bias.h"

#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "graph/ops/bias.h"
#include "kernels/column_sum/column_sum.h"

namespace bramble::engine {
namespace {

std::size_t elements(const graph::TensorSpec& spec) {
  return static_cast<std::size_t>(graph::element_count(spec.shape));
}

// Long biases (a position embedding): each task sums its columns down the few rows.
Bound sum_long_rows(std::size_t rows, std::size_t size) {
  const Slices columns = slice_channels(size, rows);
  return {{{columns.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             kernels::column_sum_f32(0, rows, columns.begin(task), columns.end(task), size, o.in<float>(0),
                                     o.out<float>(0));
           }}}};
}

// Short ones: each task sums its rows, then the sums are summed.
Bound sum_many_rows(std::size_t rows, std::size_t size) {
  const Slices slices = slice_rows(rows, size);
  Bound bound;
  bound.shared_scratch = static_cast<std::size_t>(slices.count) * size * sizeof(float);
  bound.phases.push_back({slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
                            float* partials = reinterpret_cast<float*>(o.shared);
                            kernels::column_sum_f32(slices.begin(task), slices.end(task), 0, size, size,
                                                    o.in<float>(0), partials + static_cast<std::size_t>(task) * size);
                          }});
  bound.phases.push_back({1, [=](const Operands& o, std::int64_t, std::byte*) {
                            kernels::column_sum_f32(0, static_cast<std::size_t>(slices.count), 0, size, size,
                                                    reinterpret_cast<const float*>(o.shared), o.out<float>(0));
                          }});
  return bound;
}

}  // namespace

Bound bind_bias(const BindContext& context) {
  const std::size_t size = elements(context.input(1));
  const Slices slices = slice_elements(elements(context.output(0)));
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             kernels::bias_fwd_f32(slices.begin(task), slices.end(task), size, o.in<float>(0), o.in<float>(1),
                                   o.out<float>(0));
           }}}};
}

Bound bind_bias_bwd_bias(const BindContext& context) {
  const std::size_t size = elements(context.output(0));
  const std::size_t rows = elements(context.input(0)) / size;
  constexpr std::size_t kFewRows = 128;
  return rows <= kFewRows ? sum_long_rows(rows, size) : sum_many_rows(rows, size);
}

}  // namespace bramble::engine
