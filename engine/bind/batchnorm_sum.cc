#include "engine/bind/batchnorm_sum.h"

#include <algorithm>

#include "engine/bind/channel_sums.h"
#include "engine/bind/ops.h"

namespace bramble::engine {
namespace {

using Op = graph::BatchNormSum;

class Forward {
 public:
  explicit Forward(const BindContext& context)
      : layout_(context.op<Op>().attributes, context.output(Op::kY).shape),
        eps_(context.op<Op>().attributes.eps),
        momentum_(context.op<Op>().attributes.momentum) {
    for (int k = 0; k < layout_.count(); ++k) {
      has_weight_.push_back(context.has_input(Op::input(k, Op::kW)));
      const bool given = context.has_input(Op::input(layout_.leader(k), Op::kSums));
      given_parts_.push_back(
          given ? static_cast<std::size_t>(context.input(Op::input(layout_.leader(k), Op::kSums)).shape[0]) : 0);
    }
    has_residual_ = context.has_input(Op::kResidual);
    has_layer_scale_ = context.has_input(Op::kLayerScale);
  }

  /// Sums of the inputs whose producers took none, then vectors that nobody reads after this node.
  std::size_t shared_bytes() const {
    const auto branches = static_cast<std::size_t>(layout_.count());
    return sums_elements() * sizeof(double) + (1 + Op::kOutputsOfBranch * branches) * layout_.channels * sizeof(float);
  }

  Phase stats() const {
    return {layout_.by_rows.count, [self = *this](const Operands& o, std::int64_t task, std::byte*) {
              const auto channels = static_cast<std::int64_t>(self.layout_.channels);
              for (const int k : self.layout_.leaders) {
                if (self.is_given(k)) continue;
                const PartSums sums(self.own_sums(o, k), task, channels);
                sums.clear(0, channels);
                sums.add(o.in<float>(Op::input(k, Op::kX)), static_cast<std::int64_t>(self.layout_.by_rows.begin(task)),
                         static_cast<std::int64_t>(self.layout_.by_rows.end(task)), 0, channels);
              }
            }};
  }
  bool needs_stats() const {
    return std::any_of(layout_.leaders.begin(), layout_.leaders.end(), [&](int k) { return !is_given(k); });
  }

  /// The branches' vectors; of the batch in training, of the running statistics else.
  Phase vectors(bool training) const {
    return {layout_.by_channels.count, [self = *this, training](const Operands& o, std::int64_t task, std::byte*) {
              const std::size_t begin = self.layout_.by_channels.begin(task), end = self.layout_.by_channels.end(task);
              std::fill(self.beta_sum(o) + begin, self.beta_sum(o) + end, 0.0F);
              for (const int k : self.layout_.leaders) {
                float* const scale = self.vector(o, k, Op::kScale);
                std::fill(scale + begin, scale + end, 0.0F);
              }
              for (int k = 0; k < self.layout_.count(); ++k) {
                if (training) self.finalise(o, k, begin, end);
                else self.take_running(o, k, begin, end);
              }
            }};
  }

  Phase combine() const {
    return {layout_.by_rows.count, [self = *this](const Operands& o, std::int64_t task, std::byte*) {
              kernels::BatchnormSum sum{self.layout_.activation, self.layout_.channels, self.layout_.terms(), {},
                                        self.beta_sum(o)};
              for (std::size_t t = 0; t < self.layout_.terms(); ++t) {
                const int k = self.layout_.leaders[t];
                sum.terms[t] = {o.in<float>(Op::input(k, Op::kX)), self.vector(o, k, Op::kMean),
                                self.vector(o, k, Op::kScale)};
              }
              kernels::batchnorm_sum_fwd_f32(sum, self.layout_.by_rows.begin(task), self.layout_.by_rows.end(task),
                                             self.has_residual_ ? o.in<float>(Op::kResidual) : nullptr,
                                             o.out<float>(Op::kY));
            }};
  }

 private:
  bool is_given(int k) const { return given_parts_[static_cast<std::size_t>(k)] > 0; }
  std::size_t sums_of_term() const { return layout_.parts * 2 * layout_.channels; }
  std::size_t sums_elements() const { return static_cast<std::size_t>(layout_.count()) * sums_of_term(); }
  double* own_sums(const Operands& o, int k) const {
    return reinterpret_cast<double*>(o.shared) + static_cast<std::size_t>(k) * sums_of_term();
  }
  float* scratch_vector(const Operands& o, int i) const {
    return reinterpret_cast<float*>(o.shared + sums_elements() * sizeof(double)) +
           static_cast<std::size_t>(i) * layout_.channels;
  }
  float* beta_sum(const Operands& o) const {
    float* const wanted = o.out<float>(Op::kBetaSum);
    return wanted != nullptr ? wanted : scratch_vector(o, 0);
  }
  float* vector(const Operands& o, int k, Op::BranchOutput which) const {
    float* const wanted = o.out<float>(Op::output(k, which));
    return wanted != nullptr ? wanted : scratch_vector(o, 1 + k * Op::kOutputsOfBranch + which);
  }
  kernels::BatchnormBranch branch(const Operands& o, int k) const {
    return {o.in<float>(Op::input(k, Op::kGamma)), o.in<float>(Op::input(k, Op::kBeta)),
            has_weight_[static_cast<std::size_t>(k)] ? o.in<float>(Op::input(k, Op::kW)) : nullptr,
            has_layer_scale_ ? o.in<float>(Op::kLayerScale) : nullptr, layout_.sign(k)};
  }

  void finalise(const Operands& o, int k, std::size_t begin, std::size_t end) const {
    const int leader = layout_.leader(k);
    const std::size_t given = given_parts_[static_cast<std::size_t>(leader)];
    const double* const sums =
        given > 0 ? o.in<double>(Op::input(leader, Op::kSums)) : own_sums(o, leader);
    kernels::batchnorm_branch_finalise_f32(
        {layout_.rows, layout_.channels, given > 0 ? given : layout_.parts, eps_, momentum_}, begin, end, sums,
        branch(o, k), o.mutable_in<float>(Op::input(k, Op::kRunningMean)),
        o.mutable_in<float>(Op::input(k, Op::kRunningVar)), vector(o, k, Op::kMean), vector(o, k, Op::kRstd),
        vector(o, leader, Op::kScale), beta_sum(o));
  }
  void take_running(const Operands& o, int k, std::size_t begin, std::size_t end) const {
    const int leader = layout_.leader(k);
    kernels::batchnorm_branch_running_f32(
        begin, end, eps_, branch(o, k), o.in<float>(Op::input(k, Op::kRunningMean)),
        o.in<float>(Op::input(k, Op::kRunningVar)), o.in<float>(Op::input(leader, Op::kRunningMean)),
        vector(o, k, Op::kMean), vector(o, k, Op::kRstd), vector(o, leader, Op::kScale), beta_sum(o));
  }

  BatchNormSumLayout layout_;
  float eps_, momentum_;
  std::vector<bool> has_weight_;
  std::vector<std::size_t> given_parts_;  ///< of the leader's sums; 0: this node takes them
  bool has_residual_ = false;
  bool has_layer_scale_ = false;
};

}  // namespace

Bound bind_batchnorm_sum(const BindContext& context) {
  const Forward forward(context);
  const bool training = context.op<Op>().attributes.training;
  Bound bound;
  bound.shared_scratch = forward.shared_bytes();
  if (training && forward.needs_stats()) bound.phases.push_back(forward.stats());
  bound.phases.push_back(forward.vectors(training));
  if (context.has_output(Op::kY)) bound.phases.push_back(forward.combine());
  return bound;
}

}  // namespace bramble::engine
