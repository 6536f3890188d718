#include "kernels/batchnorm/batchnorm.h"

#include <algorithm>

#include "engine/bind/activation.h"
#include "engine/bind/channel_sums.h"
#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "engine/layout.h"
#include "graph/ops/batchnorm.h"

namespace bramble::engine {
namespace {

// The rows' slices of the long passes, the channels' slices of the short steps between them, and the shared scratch:
// the sums, if this node takes them itself, then two per-channel vectors.
struct Layout {
  Layout(const graph::Shape& shape, const graph::TensorSpec* given_sums)
      : channels(static_cast<std::size_t>(shape.back())),
        rows(static_cast<std::size_t>(graph::element_count(shape)) / channels),
        by_rows(slice_rows(rows, channels)),
        parts(given_sums != nullptr ? static_cast<std::size_t>(given_sums->shape[0])
                                    : static_cast<std::size_t>(by_rows.count)),
        by_channels(slice_channels(channels, 2 * parts)),
        own_sums(given_sums == nullptr ? parts * 2 * channels : 0) {}

  std::size_t shared_bytes() const { return own_sums * sizeof(double) + 3 * channels * sizeof(float); }

  double* sums(const Operands& o, int input) const {
    return own_sums > 0 ? reinterpret_cast<double*>(o.shared) : const_cast<double*>(o.in<double>(input));
  }
  float* vector(const Operands& o, std::size_t i) const {
    return reinterpret_cast<float*>(o.shared + own_sums * sizeof(double)) + i * channels;
  }

  /// The slice that task `task` of the second pass takes: last first, as those rows are still in the caches.
  std::int64_t backwards(std::int64_t task) const { return by_rows.count - 1 - task; }

  std::size_t channels, rows;
  Slices by_rows;
  std::size_t parts;
  Slices by_channels;
  std::size_t own_sums;  // doubles
};

struct Forward {
  enum Input { kX, kGamma, kBeta, kRunningMean, kRunningVar, kResidual, kSums };
  enum Output { kY, kMean, kRstd, kScale };
};

struct Backward {
  enum Input { kDy, kX, kScale, kBeta, kMean, kRstd, kY, kSums };
  enum Output { kDx, kDgamma, kDbeta, kDresidual, kCoefficients };
};

enum Vector : std::size_t { kMean, kRstd, kScale, kSlope = kMean, kConstant = kRstd };

// An output that nobody reads lives in the scratch.
float* output_or(const Operands& o, int output, float* scratch) {
  float* const wanted = o.out<float>(output);
  return wanted != nullptr ? wanted : scratch;
}

// Mean, rstd and scale of the forward.
struct Vectors {
  Vectors(const Layout& layout, const Operands& o)
      : mean(output_or(o, Forward::kMean, layout.vector(o, kMean))),
        rstd(output_or(o, Forward::kRstd, layout.vector(o, kRstd))),
        scale(output_or(o, Forward::kScale, layout.vector(o, kScale))) {}
  float *mean, *rstd, *scale;
};

Phase stats_phase(const Layout& layout) {
  return {layout.by_rows.count, [=](const Operands& o, std::int64_t task, std::byte*) {
            const auto channels = static_cast<std::int64_t>(layout.channels);
            const PartSums sums(layout.sums(o, Forward::kSums), task, channels);
            sums.clear(0, channels);
            sums.add(o.in<float>(Forward::kX), static_cast<std::int64_t>(layout.by_rows.begin(task)),
                     static_cast<std::int64_t>(layout.by_rows.end(task)), 0, channels);
          }};
}

Phase finalise_phase(const Layout& layout, const graph::BatchNormAttributes& attributes) {
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

Phase running_phase(const Layout& layout, float eps) {
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

Phase normalise_phase(const Layout& layout, graph::Activation kind, bool has_residual) {
  return {layout.by_rows.count, [=, activation = to_kernel(kind)](const Operands& o, std::int64_t task, std::byte*) {
            const Vectors v(layout, o);
            const std::int64_t slice = layout.backwards(task);
            kernels::batchnorm_fwd_f32(
                activation, layout.by_rows.begin(slice), layout.by_rows.end(slice), layout.channels,
                o.in<float>(Forward::kX), {v.mean, v.scale, o.in<float>(Forward::kBeta)},
                has_residual ? o.in<float>(Forward::kResidual) : nullptr, o.out<float>(Forward::kY));
          }};
}

class BackwardPhases {
 public:
  BackwardPhases(const BindContext& context, const Layout& layout)
      : layout_(layout),
        activation_(to_kernel(context.op<graph::BatchNormBwd>().attributes.activation)),
        training_(context.op<graph::BatchNormBwd>().attributes.training),
        dy_stride_(static_cast<std::size_t>(row_stride(context.input(Backward::kDy)))),
        has_y_(context.has_input(Backward::kY)) {}

  Phase reduce() const {
    return {layout_.by_rows.count, [self = *this](const Operands& o, std::int64_t task, std::byte*) {
              const auto channels = static_cast<std::int64_t>(self.layout_.channels);
              const PartSums sums(self.layout_.sums(o, Backward::kSums), task, channels);
              sums.clear(0, channels);
              const Slices& slices = self.layout_.by_rows;
              sums.add_backward(self.operands(o), static_cast<std::int64_t>(slices.begin(task)),
                                static_cast<std::int64_t>(slices.end(task)), 0, channels);
            }};
  }

  Phase coefficients() const {
    return {layout_.by_channels.count, [self = *this](const Operands& o, std::int64_t task, std::byte*) {
              const Layout& layout = self.layout_;
              kernels::batchnorm_bwd_coefficients_f32(layout.by_channels.begin(task), layout.by_channels.end(task),
                                                      layout.rows, layout.channels, layout.parts, self.training_,
                                                      layout.sums(o, Backward::kSums), o.in<float>(Backward::kScale),
                                                      o.in<float>(Backward::kRstd), o.out<float>(Backward::kDgamma),
                                                      o.out<float>(Backward::kDbeta), self.slope(o), self.constant(o));
              self.give_affine(o, layout.by_channels.begin(task), layout.by_channels.end(task));
            }};
  }

  /// Slope and constant where no sums are needed for them.
  Phase no_coefficients() const {
    return {layout_.by_channels.count, [self = *this](const Operands& o, std::int64_t task, std::byte*) {
              const std::size_t begin = self.layout_.by_channels.begin(task), end = self.layout_.by_channels.end(task);
              for (float* v : {self.slope(o), self.constant(o)}) std::fill(v + begin, v + end, 0.0F);
              self.give_affine(o, begin, end);
            }};
  }

  Phase data(bool has_dresidual) const {
    return {layout_.by_rows.count, [self = *this, has_dresidual](const Operands& o, std::int64_t task, std::byte*) {
              const Layout& layout = self.layout_;
              const std::int64_t slice = layout.backwards(task);
              kernels::batchnorm_bwd_data_f32(self.operands(o), layout.by_rows.begin(slice), layout.by_rows.end(slice),
                                              self.slope(o), self.constant(o), o.out<float>(Backward::kDx),
                                              has_dresidual ? o.out<float>(Backward::kDresidual) : nullptr);
            }};
  }

  bool training() const { return training_; }

 private:
  // The coefficients' five vectors lie in the output, if a reader wants them.
  float* vector(const Operands& o, std::size_t row, Vector otherwise) const {
    float* const given = o.out<float>(Backward::kCoefficients);
    return given != nullptr ? given + row * layout_.channels : layout_.vector(o, otherwise);
  }
  float* slope(const Operands& o) const { return vector(o, 3, kSlope); }
  float* constant(const Operands& o) const { return vector(o, 4, kConstant); }
  /// Copies, as beta may be updated before the reader comes.
  void give_affine(const Operands& o, std::size_t begin, std::size_t end) const {
    float* given = o.out<float>(Backward::kCoefficients);
    if (given == nullptr) return;
    for (const int input : {Backward::kMean, Backward::kScale, Backward::kBeta}) {
      std::copy(o.in<float>(input) + begin, o.in<float>(input) + end, given + begin);
      given += layout_.channels;
    }
  }
  kernels::BatchnormBackward operands(const Operands& o) const {
    return {activation_,
            layout_.channels,
            o.in<float>(Backward::kDy),
            o.in<float>(Backward::kX),
            has_y_ ? o.in<float>(Backward::kY) : nullptr,
            {o.in<float>(Backward::kMean), o.in<float>(Backward::kScale), o.in<float>(Backward::kBeta)},
            dy_stride_};
  }

  Layout layout_;
  kernels::Activation activation_;
  bool training_;
  std::size_t dy_stride_;
  bool has_y_;
};

const graph::TensorSpec* given_sums(const BindContext& context, int input) {
  return context.has_input(input) ? &context.input(input) : nullptr;
}

}  // namespace

Bound bind_batchnorm(const BindContext& context) {
  const graph::BatchNormAttributes& attributes = context.op<graph::BatchNorm>().attributes;
  const Layout layout(context.input(Forward::kX).shape, given_sums(context, Forward::kSums));
  Bound bound;
  bound.shared_scratch = layout.shared_bytes();
  if (!attributes.training) {
    bound.phases = {running_phase(layout, attributes.eps)};
  } else {
    if (layout.own_sums > 0) bound.phases.push_back(stats_phase(layout));
    bound.phases.push_back(finalise_phase(layout, attributes));
  }
  if (context.has_output(Forward::kY)) {
    bound.phases.push_back(normalise_phase(layout, attributes.activation, context.has_input(Forward::kResidual)));
  }
  return bound;
}

Bound bind_batchnorm_bwd(const BindContext& context) {
  const Layout layout(context.input(Backward::kX).shape, given_sums(context, Backward::kSums));
  const BackwardPhases phases(context, layout);
  const bool has_dx = context.has_output(Backward::kDx);
  const bool has_dresidual = context.has_input(Backward::kY) && context.has_output(Backward::kDresidual);
  const bool parameters = context.has_output(Backward::kDgamma) || context.has_output(Backward::kDbeta);
  Bound bound;
  bound.shared_scratch = layout.shared_bytes();
  const bool has_coefficients = context.has_output(Backward::kCoefficients);
  if (parameters || ((has_dx || has_coefficients) && phases.training())) {
    if (layout.own_sums > 0) bound.phases.push_back(phases.reduce());
    bound.phases.push_back(phases.coefficients());
  } else {
    bound.phases.push_back(phases.no_coefficients());
  }
  if (has_dx || has_dresidual) bound.phases.push_back(phases.data(has_dresidual));
  return bound;
}

}  // namespace bramble::engine
