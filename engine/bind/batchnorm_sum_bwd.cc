#include <algorithm>

#include "engine/bind/batchnorm_sum.h"
#include "engine/bind/ops.h"

namespace bramble::engine {
namespace {

using Op = graph::BatchNormSumBwd;

class Backward {
 public:
  explicit Backward(const BindContext& context)
      : layout_(context.op<Op>().attributes, context.input(Op::kDy).shape),
        leader_of_residual_(context.op<Op>().leader_of_residual),
        eps_(context.op<Op>().attributes.eps),
        training_(context.op<Op>().attributes.training),
        has_layer_scale_(context.has_input(Op::kLayerScale)) {
    for (int k = 0; k < layout_.count(); ++k) has_weight_.push_back(context.has_input(Op::input(k, Op::kW)));
  }

  std::size_t shared_bytes() const {
    return (layout_.parts + 1) * sums_of_part() * sizeof(double) +
           layout_.terms() * kTermVectors * layout_.channels * sizeof(float);
  }

  Phase reduce() const {
    return {layout_.by_rows.count, [self = *this](const Operands& o, std::int64_t task, std::byte*) {
              double* const sums = self.part(o, static_cast<std::size_t>(task));
              std::fill_n(sums, self.sums_of_part(), 0.0);
              kernels::batchnorm_sum_bwd_reduce_f32(self.terms(o), self.layout_.by_rows.begin(task),
                                                    self.layout_.by_rows.end(task), o.in<float>(Op::kDy), sums);
            }};
  }

  Phase coefficients() const {
    return {layout_.by_channels.count, [self = *this](const Operands& o, std::int64_t task, std::byte*) {
              const std::size_t begin = self.layout_.by_channels.begin(task), end = self.layout_.by_channels.end(task);
              self.add_parts(o, begin, end);
              self.clear(o, begin, end);
              for (int k = 0; k < self.layout_.count(); ++k) self.branch_coefficients(o, k, begin, end);
              self.add_scales(o, begin, end);
            }};
  }

  Phase data() const {
    return {layout_.by_rows.count, [self = *this](const Operands& o, std::int64_t task, std::byte*) {
              kernels::BatchnormSumGradient gradients[kernels::kBatchnormSumTerms];
              for (std::size_t t = 0; t < self.layout_.terms(); ++t)
                gradients[t] = {self.vector(o, t, kScale), self.vector(o, t, kSlope), self.vector(o, t, kConstant),
                                o.out<float>(Op::output(self.layout_.leaders[t], Op::kDx))};
              // Last rows first: they are still in the caches.
              const std::int64_t slice = self.layout_.by_rows.count - 1 - task;
              kernels::batchnorm_sum_bwd_data_f32(self.terms(o), self.layout_.by_rows.begin(slice),
                                                  self.layout_.by_rows.end(slice), o.in<float>(Op::kDy), gradients);
            }};
  }

  bool wants_data(const BindContext& context) const {
    return std::any_of(layout_.leaders.begin(), layout_.leaders.end(),
                       [&](int k) { return context.has_output(Op::output(k, Op::kDx)); });
  }

 private:
  enum TermVector { kScale, kSlope, kConstant, kTermVectors };

  /// Of g, then of g times each centred term; [C] each. The last part's place is the parts' sum.
  std::size_t sums_of_part() const { return (1 + layout_.terms()) * layout_.channels; }
  double* part(const Operands& o, std::size_t i) const {
    return reinterpret_cast<double*>(o.shared) + i * sums_of_part();
  }
  double* total(const Operands& o) const { return part(o, layout_.parts); }
  float* vector(const Operands& o, std::size_t term, TermVector which) const {
    return reinterpret_cast<float*>(part(o, layout_.parts + 1)) + (term * kTermVectors + which) * layout_.channels;
  }
  std::size_t term_of(int branch) const {
    const auto found = std::find(layout_.leaders.begin(), layout_.leaders.end(), layout_.leader(branch));
    return static_cast<std::size_t>(found - layout_.leaders.begin());
  }

  kernels::BatchnormSum terms(const Operands& o) const {
    kernels::BatchnormSum sum{layout_.activation, layout_.channels, layout_.terms(), {}, o.in<float>(Op::kBetaSum)};
    for (std::size_t t = 0; t < layout_.terms(); ++t) {
      const int k = layout_.leaders[t];
      sum.terms[t] = {o.in<float>(Op::input(k, Op::kX)), o.in<float>(Op::input(k, Op::kMean)),
                      o.in<float>(Op::input(k, Op::kScale))};
    }
    return sum;
  }

  void add_parts(const Operands& o, std::size_t begin, std::size_t end) const {
    for (std::size_t s = 0; s <= layout_.terms(); ++s) {
      double* const to = total(o) + s * layout_.channels;
      std::fill(to + begin, to + end, 0.0);
      for (std::size_t p = 0; p < layout_.parts; ++p) {
        const double* const from = part(o, p) + s * layout_.channels;
        for (std::size_t c = begin; c < end; ++c) to[c] += from[c];
      }
    }
  }
  void clear(const Operands& o, std::size_t begin, std::size_t end) const {
    for (std::size_t t = 0; t < layout_.terms(); ++t)
      for (const TermVector which : {kSlope, kConstant})
        std::fill(vector(o, t, which) + begin, vector(o, t, which) + end, 0.0F);
    if (float* const dlayer_scale = o.out<float>(Op::kDlayerScale))
      std::fill(dlayer_scale + begin, dlayer_scale + end, 0.0F);
  }
  void branch_coefficients(const Operands& o, int k, std::size_t begin, std::size_t end) const {
    const std::size_t t = term_of(k);
    const kernels::BatchnormBranchBackward in{layout_.rows,
                                              training_,
                                              total(o),
                                              total(o) + (1 + t) * layout_.channels,
                                              o.in<float>(Op::input(k, Op::kMean)),
                                              o.in<float>(Op::input(k, Op::kRstd)),
                                              o.in<float>(Op::input(layout_.leader(k), Op::kMean)),
                                              eps_};
    const kernels::BatchnormBranch branch{
        o.in<float>(Op::input(k, Op::kGamma)), o.in<float>(Op::input(k, Op::kBeta)),
        has_weight_[static_cast<std::size_t>(k)] ? o.in<float>(Op::input(k, Op::kW)) : nullptr,
        has_layer_scale_ ? o.in<float>(Op::kLayerScale) : nullptr, layout_.sign(k)};
    kernels::batchnorm_branch_bwd_f32(
        begin, end, in, branch,
        {o.out<float>(Op::output(k, Op::kDgamma)), o.out<float>(Op::output(k, Op::kDbeta)),
         o.out<float>(Op::output(k, Op::kDw)), o.out<float>(Op::kDlayerScale), vector(o, t, kSlope),
         vector(o, t, kConstant)});
  }
  /// g's factors: the forward's, and 1 more where x is the residual too.
  void add_scales(const Operands& o, std::size_t begin, std::size_t end) const {
    for (std::size_t t = 0; t < layout_.terms(); ++t) {
      const int k = layout_.leaders[t];
      const float* const from = o.in<float>(Op::input(k, Op::kScale));
      const float more = leader_of_residual_ == k ? 1.0F : 0.0F;
      for (std::size_t c = begin; c < end; ++c) vector(o, t, kScale)[c] = from[c] + more;
    }
  }

  BatchNormSumLayout layout_;
  int leader_of_residual_;
  float eps_;
  bool training_;
  bool has_layer_scale_;
  std::vector<bool> has_weight_;
};

}  // namespace

Bound bind_batchnorm_sum_bwd(const BindContext& context) {
  const Backward backward(context);
  Bound bound;
  bound.shared_scratch = backward.shared_bytes();
  bound.phases = {backward.reduce(), backward.coefficients()};
  if (backward.wants_data(context)) bound.phases.push_back(backward.data());
  return bound;
}

}  // namespace bramble::engine
