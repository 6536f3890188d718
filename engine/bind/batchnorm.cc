#include "kernels/batchnorm/batchnorm.h"

#include <algorithm>

#include "engine/bind/activation.h"
#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "graph/ops/batchnorm.h"

namespace bramble::engine {
namespace {

// The rows' slices, the channels' slices for the short steps between passes, and the shared scratch: every slice's two
// sums per channel, then three per-channel vectors.
struct Layout {
  explicit Layout(const graph::Shape& shape)
      : channels(static_cast<std::size_t>(shape.back())),
        rows(static_cast<std::size_t>(graph::element_count(shape)) / channels),
        by_rows(slice_rows(rows, channels)),
        by_channels(slice_channels(channels, 2 * static_cast<std::size_t>(by_rows.count))) {}

  std::size_t partial_size() const { return 2 * channels; }
  std::size_t shared_bytes() const {
    return static_cast<std::size_t>(by_rows.count) * partial_size() * sizeof(double) + 3 * channels * sizeof(float);
  }
  std::size_t thread_bytes() const { return 2 * channels * sizeof(float); }

  double* partials(const Operands& o) const { return reinterpret_cast<double*>(o.shared); }
  double* partial(const Operands& o, std::int64_t task) const {
    return partials(o) + static_cast<std::size_t>(task) * partial_size();
  }
  float* vector(const Operands& o, std::size_t i) const {
    const std::size_t sums = static_cast<std::size_t>(by_rows.count) * partial_size();
    return reinterpret_cast<float*>(partials(o) + sums) + i * channels;
  }

  /// The slice that task `task` of the second pass takes: last first, as those rows are still in the caches.
  std::int64_t backwards(std::int64_t task) const { return by_rows.count - 1 - task; }

  std::size_t channels, rows;
  Slices by_rows, by_channels;
};

struct Forward {
  enum Input { kX, kGamma, kBeta, kRunningMean, kRunningVar, kResidual };
  enum Output { kY, kMean, kRstd };
};

struct Backward {
  enum Input { kDy, kX, kGamma, kBeta, kMean, kRstd, kY };
  enum Output { kDx, kDgamma, kDbeta, kDresidual };
};

enum Vector : std::size_t { kScale, kMean, kRstd, kSlope = kMean, kConstant = kRstd };

// An output that nobody reads lives in the scratch.
float* output_or(const Operands& o, int output, float* scratch) {
  float* const wanted = o.out<float>(output);
  return wanted != nullptr ? wanted : scratch;
}

Phase stats_phase(const Layout& layout) {
  return {layout.by_rows.count, [=](const Operands& o, std::int64_t task, std::byte* scratch) {
            const float* x = o.in<float>(Forward::kX);
            kernels::batchnorm_stats_f32(layout.by_rows.begin(task), layout.by_rows.end(task), layout.channels, x, x,
                                         layout.partial(o, task), reinterpret_cast<float*>(scratch));
          }};
}

Phase finalise_phase(const Layout& layout, const graph::BatchNormAttributes& attributes) {
  const kernels::BatchnormFinalise shape{layout.rows, layout.channels, static_cast<std::size_t>(layout.by_rows.count),
                                         attributes.eps, attributes.momentum};
  return {layout.by_channels.count, [=](const Operands& o, std::int64_t task, std::byte*) {
            const std::size_t begin = layout.by_channels.begin(task);
            const std::size_t end = layout.by_channels.end(task);
            float* mean = output_or(o, Forward::kMean, layout.vector(o, kMean));
            float* rstd = output_or(o, Forward::kRstd, layout.vector(o, kRstd));
            kernels::batchnorm_finalise_f32(shape, begin, end, layout.partials(o), o.in<float>(Forward::kX),
                                            o.mutable_in<float>(Forward::kRunningMean),
                                            o.mutable_in<float>(Forward::kRunningVar), mean, rstd);
            kernels::batchnorm_scale_f32(begin, end, o.in<float>(Forward::kGamma), rstd, layout.vector(o, kScale));
          }};
}

Phase running_phase(const Layout& layout, float eps) {
  return {layout.by_channels.count, [=](const Operands& o, std::int64_t task, std::byte*) {
            const std::size_t begin = layout.by_channels.begin(task);
            const std::size_t end = layout.by_channels.end(task);
            const float* mean = o.in<float>(Forward::kRunningMean);
            float* rstd = output_or(o, Forward::kRstd, layout.vector(o, kRstd));
            kernels::batchnorm_rstd_f32(begin, end, o.in<float>(Forward::kRunningVar), eps, rstd);
            kernels::batchnorm_scale_f32(begin, end, o.in<float>(Forward::kGamma), rstd, layout.vector(o, kScale));
            if (float* kept = o.out<float>(Forward::kMean)) std::copy(mean + begin, mean + end, kept + begin);
          }};
}

Phase normalise_phase(const Layout& layout, const graph::BatchNormAttributes& attributes, bool has_residual) {
  return {layout.by_rows.count, [=, activation = to_kernel(attributes.activation), training = attributes.training](
                                    const Operands& o, std::int64_t task, std::byte*) {
            const float* mean = training ? output_or(o, Forward::kMean, layout.vector(o, kMean))
                                         : o.in<float>(Forward::kRunningMean);
            const std::int64_t slice = layout.backwards(task);
            kernels::batchnorm_fwd_f32(activation, layout.by_rows.begin(slice), layout.by_rows.end(slice),
                                       layout.channels, o.in<float>(Forward::kX),
                                       {mean, layout.vector(o, kScale), o.in<float>(Forward::kBeta)},
                                       has_residual ? o.in<float>(Forward::kResidual) : nullptr,
                                       o.out<float>(Forward::kY));
          }};
}

// The forward's scale again, to the bit; slope and constant are zero until the coefficients' phase.
Phase scale_phase(const Layout& layout) {
  return {layout.by_channels.count, [=](const Operands& o, std::int64_t task, std::byte*) {
            const std::size_t begin = layout.by_channels.begin(task);
            const std::size_t end = layout.by_channels.end(task);
            kernels::batchnorm_scale_f32(begin, end, o.in<float>(Backward::kGamma), o.in<float>(Backward::kRstd),
                                         layout.vector(o, kScale));
            for (const Vector v : {kSlope, kConstant})
              std::fill(layout.vector(o, v) + begin, layout.vector(o, v) + end, 0.0F);
          }};
}

class BackwardPhases {
 public:
  BackwardPhases(const BindContext& context, const Layout& layout)
      : layout_(layout),
        activation_(to_kernel(context.op<graph::BatchNormBwd>().attributes.activation)),
        training_(context.op<graph::BatchNormBwd>().attributes.training),
        has_y_(context.has_input(Backward::kY)) {}

  Phase reduce() const {
    return {layout_.by_rows.count, [self = *this](const Operands& o, std::int64_t task, std::byte* scratch) {
              const Slices& slices = self.layout_.by_rows;
              kernels::batchnorm_bwd_reduce_f32(self.operands(o), slices.begin(task), slices.end(task),
                                                self.layout_.partial(o, task), reinterpret_cast<float*>(scratch));
            }};
  }

  Phase coefficients() const {
    return {layout_.by_channels.count, [self = *this](const Operands& o, std::int64_t task, std::byte*) {
              const Layout& layout = self.layout_;
              kernels::batchnorm_bwd_coefficients_f32(
                  layout.by_channels.begin(task), layout.by_channels.end(task), layout.rows, layout.channels,
                  static_cast<std::size_t>(layout.by_rows.count), self.training_, layout.partials(o),
                  layout.vector(o, kScale), o.in<float>(Backward::kRstd), o.out<float>(Backward::kDgamma),
                  o.out<float>(Backward::kDbeta), layout.vector(o, kSlope), layout.vector(o, kConstant));
            }};
  }

  Phase data(bool has_dresidual) const {
    return {layout_.by_rows.count, [self = *this, has_dresidual](const Operands& o, std::int64_t task, std::byte*) {
              const Layout& layout = self.layout_;
              const std::int64_t slice = layout.backwards(task);
              kernels::batchnorm_bwd_data_f32(self.operands(o), layout.by_rows.begin(slice), layout.by_rows.end(slice),
                                              layout.vector(o, kSlope), layout.vector(o, kConstant),
                                              o.out<float>(Backward::kDx),
                                              has_dresidual ? o.out<float>(Backward::kDresidual) : nullptr);
            }};
  }

  bool training() const { return training_; }

 private:
  kernels::BatchnormBackward operands(const Operands& o) const {
    return {activation_,
            layout_.channels,
            o.in<float>(Backward::kDy),
            o.in<float>(Backward::kX),
            has_y_ ? o.in<float>(Backward::kY) : nullptr,
            {o.in<float>(Backward::kMean), layout_.vector(o, kScale), o.in<float>(Backward::kBeta)}};
  }

  Layout layout_;
  kernels::Activation activation_;
  bool training_;
  bool has_y_;
};

}  // namespace

Bound bind_batchnorm(const BindContext& context) {
  const graph::BatchNormAttributes& attributes = context.op<graph::BatchNorm>().attributes;
  const Layout layout(context.input(Forward::kX).shape);
  Bound bound;
  bound.shared_scratch = layout.shared_bytes();
  if (attributes.training) {
    bound.thread_scratch = layout.thread_bytes();
    bound.phases = {stats_phase(layout), finalise_phase(layout, attributes)};
  } else {
    bound.phases = {running_phase(layout, attributes.eps)};
  }
  bound.phases.push_back(
      normalise_phase(layout, attributes, context.has_input(Forward::kResidual)));
  return bound;
}

Bound bind_batchnorm_bwd(const BindContext& context) {
  const Layout layout(context.input(Backward::kX).shape);
  const BackwardPhases phases(context, layout);
  const bool has_dx = context.has_output(Backward::kDx);
  const bool has_dresidual = context.has_input(Backward::kY) && context.has_output(Backward::kDresidual);
  const bool parameters = context.has_output(Backward::kDgamma) || context.has_output(Backward::kDbeta);
  Bound bound;
  bound.shared_scratch = layout.shared_bytes();
  bound.thread_scratch = layout.thread_bytes();
  bound.phases = {scale_phase(layout)};
  if (parameters || (has_dx && phases.training())) {
    bound.phases.push_back(phases.reduce());
    bound.phases.push_back(phases.coefficients());
  }
  if (has_dx || has_dresidual) bound.phases.push_back(phases.data(has_dresidual));
  return bound;
}

}  // namespace bramble::engine
