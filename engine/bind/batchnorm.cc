#include "kernels/batchnorm/batchnorm.h"

#include <algorithm>
#include <optional>

#include "engine/bind/activation.h"
#include "engine/bind/channel_sums.h"
#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "engine/bind/unpooling.h"
#include "engine/layout.h"
#include "graph/ops/batchnorm.h"

namespace bramble::engine {
namespace {

// A part's double, from beyond L1 and added to one sum, takes about as long as four floats of a pass.
constexpr std::size_t kWorkOfASum = 4;

// The rows' slices of the long passes, the channels' slices of the short steps between them, and the shared scratch:
// the sums, if this node takes them itself, then two per-channel vectors.
struct Layout {
  Layout(const graph::Shape& shape, const graph::TensorSpec* given_sums, std::optional<std::size_t> unit = {})
      : channels(static_cast<std::size_t>(shape.back())),
        rows(static_cast<std::size_t>(graph::element_count(shape)) / channels),
        by_rows(unit ? slice_rows(rows, channels, *unit) : slice_rows(rows, channels)),
        parts(given_sums != nullptr ? static_cast<std::size_t>(given_sums->shape[0])
                                    : static_cast<std::size_t>(by_rows.count)),
        by_channels(slice_channels(channels, kWorkOfASum * 2 * parts)),
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
  enum Input { kX, kGamma, kBeta, kRunningMean, kRunningVar, kResidual, kSums, kResidualMean };
  enum Output { kY, kMean, kRstd, kScale };
};

struct Backward {
  enum Input { kDy, kX, kScale, kBeta, kMean, kRstd, kY, kSums, kArgmax };
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

Phase normalise_phase(const Layout& layout, const graph::BatchNorm& op, bool has_residual) {
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

std::optional<Unpooling> unpooling_of(const BindContext& context) {
  const auto& pool = context.op<graph::BatchNormBwd>().pool;
  if (!pool) return {};
  return Unpooling(pool_shape(*pool, context.input(Backward::kX), context.input(Backward::kDy)), context.caches.l2);
}

class BackwardPhases {
 public:
  BackwardPhases(const BindContext& context, const Layout& layout)
      : layout_(layout),
        activation_(to_kernel(context.op<graph::BatchNormBwd>().attributes.activation)),
        training_(context.op<graph::BatchNormBwd>().attributes.training),
        dy_stride_(static_cast<std::size_t>(row_stride(context.input(Backward::kDy)))),
        has_y_(context.has_input(Backward::kY)),
        unpooling_(unpooling_of(context)) {}

  Phase reduce() const {
    return {layout_.by_rows.count, [self = *this](const Operands& o, std::int64_t task, std::byte* scratch) {
              const auto channels = static_cast<std::int64_t>(self.layout_.channels);
              const PartSums sums(self.layout_.sums(o, Backward::kSums), task, channels);
              sums.clear(0, channels);
              self.for_each_block(o, task, scratch, [&](const Block& block) {
                sums.add_backward(block.operands, static_cast<std::int64_t>(block.begin),
                                  static_cast<std::int64_t>(block.end), 0, channels);
              });
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
    return {layout_.by_rows.count,
            [self = *this, has_dresidual](const Operands& o, std::int64_t task, std::byte* scratch) {
              self.for_each_block(o, self.layout_.backwards(task), scratch, [&](const Block& block) {
                float* const dx = o.out<float>(Backward::kDx);
                kernels::batchnorm_bwd_data_f32(block.operands, block.begin, block.end, self.slope(o),
                                                self.constant(o), dx ? dx + block.first : nullptr,
                                                has_dresidual ? o.out<float>(Backward::kDresidual) : nullptr);
              });
            }};
  }

  std::size_t thread_scratch() const { return unpooling_ ? unpooling_->scratch_bytes() : 0; }

  bool training() const { return training_; }

 private:
  // Rows [begin, end) of operands that begin at element `first` of the tensors.
  struct Block {
    kernels::BatchnormBackward operands;
    std::size_t begin, end;
    std::size_t first;
  };

  /// Calls run(block) for a slice: for all of it, or piece by piece where dy is made on the way.
  template <class Run>
  void for_each_block(const Operands& o, std::int64_t slice, std::byte* scratch, Run run) const {
    const std::size_t begin = layout_.by_rows.begin(slice), end = layout_.by_rows.end(slice);
    if (!unpooling_) return run(Block{operands(o), begin, end, 0});
    unpooling_->for_each_block(o.in<float>(Backward::kDy), o.in<std::uint8_t>(Backward::kArgmax), begin, end,
                               reinterpret_cast<float*>(scratch), [&](std::size_t row, std::size_t rows) {
                                 Block block{operands(o), 0, rows, row * layout_.channels};
                                 block.operands.dy = reinterpret_cast<const float*>(scratch);
                                 block.operands.dy_stride = layout_.channels;
                                 block.operands.x += block.first;
                                 run(block);
                               });
  }

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
  std::optional<Unpooling> unpooling_;
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
    bound.phases.push_back(
        normalise_phase(layout, context.op<graph::BatchNorm>(), context.has_input(Forward::kResidual)));
  }
  return bound;
}

Bound bind_batchnorm_bwd(const BindContext& context) {
  const graph::Shape& x = context.input(Backward::kX).shape;
  // Where dy is unpooled on the way, slices are whole rows of an image.
  const auto unit = context.op<graph::BatchNormBwd>().pool ? std::optional(static_cast<std::size_t>(x[2])) : std::nullopt;
  const Layout layout(x, given_sums(context, Backward::kSums), unit);
  const BackwardPhases phases(context, layout);
  const bool has_dx = context.has_output(Backward::kDx);
  const bool has_dresidual = context.has_input(Backward::kY) && context.has_output(Backward::kDresidual);
  const bool parameters = context.has_output(Backward::kDgamma) || context.has_output(Backward::kDbeta);
  Bound bound;
  bound.shared_scratch = layout.shared_bytes();
  bound.thread_scratch = phases.thread_scratch();
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
