#include "graph/ops/clip_scale.h"

#include <algorithm>
#include <cmath>

#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "engine/layout.h"
#include "kernels/sum_of_squares/sum_of_squares.h"

namespace bramble::engine {
namespace {

/// One slice of one gradient: a task, and a place among the partial sums.
struct Part {
  int input;
  std::size_t begin, end;
};

std::vector<Part> cut(const BindContext& context) {
  std::vector<Part> parts;
  for (int i = 0; i < context.inputs(); ++i) {
    const Slices slices = slice_elements(storage_elements(context.input(i)));
    for (std::int64_t task = 0; task < slices.count; ++task)
      parts.push_back({i, slices.begin(task), slices.end(task)});
  }
  return parts;
}

}  // namespace

Bound bind_clip_scale(const BindContext& context) {
  constexpr double kEps = 1e-6;  // clip_grad_norm_'s
  const double limit = context.op<graph::ClipScale>().limit;
  const std::vector<Part> parts = cut(context);
  Bound bound;
  bound.shared_scratch = parts.size() * sizeof(double);
  bound.phases.push_back({static_cast<std::int64_t>(parts.size()),
                          [=](const Operands& o, std::int64_t task, std::byte*) {
                            const Part& part = parts[static_cast<std::size_t>(task)];
                            reinterpret_cast<double*>(o.shared)[task] =
                                kernels::sum_of_squares_f32(part.begin, part.end, o.in<float>(part.input));
                          }});
  bound.phases.push_back({1, [limit, count = parts.size()](const Operands& o, std::int64_t, std::byte*) {
                            const double* sums = reinterpret_cast<const double*>(o.shared);
                            double squares = 0;
                            for (std::size_t i = 0; i < count; ++i) squares += sums[i];
                            const double factor = limit / (std::sqrt(squares) + kEps);
                            *o.out<float>(0) = static_cast<float>(std::min(1.0, factor));
                          }});
  return bound;
}

}  // namespace bramble::engine
