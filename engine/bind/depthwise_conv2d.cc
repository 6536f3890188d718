#include "graph/ops/depthwise_conv2d.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/bind/ops.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d.h"

namespace bramble::engine {
namespace {

using kernels::DepthwiseConv2dShape;

/// Rows of images go to this many tasks: several for each of four cores, and few enough that the rows which
/// neighbours both read stay a small share.
constexpr std::int64_t kTasks = 32;
/// A weight's gradient is summed from at most this many parts, of no fewer rows each than make its writing cheap.
constexpr std::int64_t kParts = 16;
constexpr std::int64_t kRowsPerPart = 4;
/// Elements of the gradient that a task of the summing phase takes.
constexpr std::int64_t kSumBlock = 4096;

DepthwiseConv2dShape kernel_shape(const graph::DepthwiseConv2dAttributes& attributes, const graph::Shape& x,
                                  const graph::Shape& y) {
  return {x[0], x[1], x[2], x[3], y[1], y[2], attributes.kernel_h, attributes.kernel_w, attributes.stride,
          attributes.padding, attributes.dilation};
}

/// Calls run(operands, first row, row past the last) for pieces of `rows`.
template <class Run>
Bound rows_in_tasks(std::int64_t rows, Run run) {
  const std::int64_t tasks = std::min(rows, kTasks);
  Phase phase;
  phase.tasks = tasks;
  phase.run = [=](const Operands& operands, std::int64_t task, std::byte*) {
    run(operands, rows * task / tasks, rows * (task + 1) / tasks);
  };
  Bound bound;
  bound.phases.push_back(std::move(phase));
  return bound;
}

struct Bounds {
  float low, high;
};

Bounds bounds_of(graph::Activation activation) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  switch (activation) {
    case graph::Activation::relu: return {0.0F, kInfinity};
    case graph::Activation::relu6: return {0.0F, 6.0F};
    default: return {-kInfinity, kInfinity};
  }
}

/// Sums `parts` parts of `count` elements, part p at `offset` + p * count of the shared scratch, into an output.
Phase sum_phase(int output, std::int64_t offset, std::int64_t parts, std::int64_t count) {
  Phase phase;
  phase.tasks = (count + kSumBlock - 1) / kSumBlock;
  phase.run = [=](const Operands& operands, std::int64_t task, std::byte*) {
    const std::int64_t begin = task * kSumBlock;
    kernels::sum_parts_f32(reinterpret_cast<const float*>(operands.shared) + offset, parts, count, begin,
                           std::min(begin + kSumBlock, count), operands.out<float>(output));
  };
  return phase;
}

}  // namespace

Bound bind_depthwise_conv2d(const BindContext& context) {
  const auto& attributes = context.op<graph::DepthwiseConv2d>().attributes;
  const auto shape = kernel_shape(attributes, context.input(0).shape, context.output(0).shape);
  const bool has_bias = context.has_input(2);
  const Bounds bounds = bounds_of(attributes.activation);
  return rows_in_tasks(shape.batch * shape.out_height,
                       [=](const Operands& operands, std::int64_t row_begin, std::int64_t row_end) {
                         kernels::depthwise_conv2d_fwd_f32(shape, operands.in<float>(0), operands.in<float>(1),
                                                           has_bias ? operands.in<float>(2) : nullptr, bounds.low,
                                                           bounds.high, operands.out<float>(0), row_begin, row_end);
                       });
}

Bound bind_depthwise_conv2d_bwd_data(const BindContext& context) {
  const auto& attributes = context.op<graph::DepthwiseConv2dBwdData>().attributes;
  const auto shape = kernel_shape(attributes, context.output(0).shape, context.input(0).shape);
  return rows_in_tasks(shape.batch * shape.in_height,
                       [=](const Operands& operands, std::int64_t row_begin, std::int64_t row_end) {
                         kernels::depthwise_conv2d_bwd_data_f32(shape, operands.in<float>(0), operands.in<float>(1),
                                                                operands.out<float>(0), row_begin, row_end);
                       });
}

Bound bind_depthwise_conv2d_bwd_weight(const BindContext& context) {
  const auto& attributes = context.op<graph::DepthwiseConv2dBwdWeight>().attributes;
  const auto shape = kernel_shape(attributes, context.input(0).shape, context.input(1).shape);
  const bool wants_weight = context.has_output(0), wants_bias = context.has_output(1);
  const std::int64_t rows = shape.batch * shape.out_height;
  const std::int64_t parts = std::clamp<std::int64_t>(rows / kRowsPerPart, 1, kParts);
  const std::int64_t weights = shape.taps() * shape.channels;
  // Shared scratch: [parts][taps * channels] of dw, then [parts][channels] of db.
  Phase partial;
  partial.tasks = parts;
  partial.run = [=](const Operands& operands, std::int64_t part, std::byte*) {
    float* dw = reinterpret_cast<float*>(operands.shared);
    float* db = wants_bias ? dw + parts * weights + part * shape.channels : nullptr;
    kernels::depthwise_conv2d_bwd_weight_f32(shape, operands.in<float>(0), operands.in<float>(1), dw + part * weights,
                                             db, rows * part / parts, rows * (part + 1) / parts);
  };
  Bound bound;
  bound.phases.push_back(std::move(partial));
  if (wants_weight) bound.phases.push_back(sum_phase(0, 0, parts, weights));
  if (wants_bias) bound.phases.push_back(sum_phase(1, parts * weights, parts, shape.channels));
  bound.shared_scratch = static_cast<std::size_t>(parts * (weights + shape.channels)) * sizeof(float);
  return bound;
}

}  // namespace bramble::engine
