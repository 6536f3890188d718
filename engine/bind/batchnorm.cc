#include "kernels/batchnorm/batchnorm.h"

#include <algorithm>

#include "engine/bind/activation.h"
#include "engine/bind/batchnorm_layout.h"
#include "engine/bind/channel_sums.h"
#include "engine/bind/ops.h"
#include "graph/ops/batchnorm.h"

namespace bramble::engine {
namespace {

struct Forward {
  enum Input { kX, kGamma, kBeta, kRunningMean, kRunningVar, kResidual, kSums, kResidualMean };
  enum Output { kY, kMean, kRstd, kScale };
};

enum Vector : std::size_t { kMean, kRstd, kScale };

// An output that nobody reads lives in the scratch.
float* output_or(const Operands& o, int output, float* scratch) {
  float* const wanted = o.out<float>(output);
  return wanted != nullptr ? wanted : scratch;
}

// Mean, rstd and scale of the forward.
struct Vectors {
  Vectors(const BatchnormLayout& layout, const Operands& o)
      : mean(output_or(o, Forward::kMean, layout.vector(o, kMean))),
        rstd(output_or(o, Forward::kRstd, layout.vector(o, kRstd))),
        scale(output_or(o, Forward::kScale, layout.vector(o, kScale))) {}
  float *mean, *rstd, *scale;
};

Phase stats_phase(const BatchnormLayout& layout) {
  return {layout.by_rows.count, [=](const Operands& o, std::int64_t task, std::byte*) {
            const auto channels = static_cast<std::int64_t>(layout.channels);
            const PartSums sums(layout.sums(o, Forward::kSums), task, channels);
            sums.clear(0, channels);
            sums.add(o.in<float>(Forward::kX), static_cast<std::int64_t>(layout.by_rows.begin(task)),
                     static_cast<std::int64_t>(layout.by_rows.end(task)), 0, channels);
          }};
}

Phase finalise_phase(const BatchnormLayout& layout, const graph::BatchNormAttributes& attributes) {
  const kernels::BatchnormFinalise shape{layout.rows, layout.channels, layout.parts, attributes.eps,
                                         attributes.momentum};
  return {layout.by_channels.count, [=](const Operands& o, std::int64_t task, std::byte*) {
            const std::size_t begin = layout.by_channels.begin(task);
            const std::size_t end = layout.by_channels.end(task);
            const Vectors v(layout, o);
            kernels::batchnorm_finalise_f32(shape, begin, end, layout.sums(o, Forward::kSums),
                                            o.in<float>(Forward::kGamma), o.mutable_in<float>(Forward::kRunningMean),
                                            o.mutable_in<float>(Forward::kRunningVar), v.mean, v.rstd, v.scale);
          }};
}

Phase running_phase(const BatchnormLayout& layout, float eps) {
  return {layout.by_channels.count, [=](const Operands& o, std::int64_t task, std::byte*) {
            const std::size_t begin = layout.by_channels.begin(task);
            const std::size_t end = layout.by_channels.end(task);
            const Vectors v(layout, o);
            const float* running = o.in<float>(Forward::kRunningMean);
            std::copy(running + begin, running + end, v.mean + begin);
            kernels::batchnorm_running_f32(begin, end, o.in<float>(Forward::kGamma), o.in<float>(Forward::kRunningVar),
                                           eps, v.rstd, v.scale);
          }};
}

Phase normalise_phase(const BatchnormLayout& layout, const graph::BatchNorm& op, bool has_residual) {
  return {layout.by_rows.count, [=, activation = to_kernel(op.attributes.activation),
                                 normalises = op.normalises_residual](const Operands& o, std::int64_t task,
                                                                      std::byte*) {
            const Vectors v(layout, o);
            const std::int64_t slice = layout.backwards(task);
            kernels::BatchnormAffine residual;
            if (normalises) residual = normalisation(o, Forward::kResidualMean, activation).affine;
            kernels::batchnorm_fwd_f32(
                activation, layout.by_rows.begin(slice), layout.by_rows.end(slice), layout.channels,
                o.in<float>(Forward::kX), {v.mean, v.scale, o.in<float>(Forward::kBeta)},
                has_residual ? o.in<float>(Forward::kResidual) : nullptr, o.out<float>(Forward::kY),
                normalises ? &residual : nullptr);
          }};
}

}  // namespace

Bound bind_batchnorm(const BindContext& context) {
  const graph::BatchNormAttributes& attributes = context.op<graph::BatchNorm>().attributes;
  const BatchnormLayout layout(context.input(Forward::kX).shape, given_sums(context, Forward::kSums));
  Bound bound;
  bound.shared_scratch = layout.shared_bytes();
  if (!attributes.training) {
    bound.phases = {running_phase(layout, attributes.eps)};
  } else {
    if (layout.own_sums > 0) bound.phases.push_back(stats_phase(layout));
    bound.phases.push_back(finalise_phase(layout, attributes));
  }
  if (context.has_output(Forward::kY)) {
    bound.phases.push_back(
        normalise_phase(layout, context.op<graph::BatchNorm>(), context.has_input(Forward::kResidual)));
  }
  return bound;
}

}  // namespace bramble::engine
