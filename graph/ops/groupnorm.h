// GroupNorm over NHWC or tokens: the channels fall into groups of neighbours, each normalised over its channels and all
// of its image's pixels; then a factor and a term for each channel. One group is LayerNorm over a whole image.
#pragma once

#include "graph/backward_context.h"

namespace bramble::graph {

struct GroupNormAttributes {
  int groups = 1;
  float eps = 1e-5F;
};

/// Inputs: x [N, ..., C], gamma [C], beta [C]. Outputs: y (as x); mean and rstd of each group [N, groups].
class GroupNorm : public Op {
 public:
  explicit GroupNorm(const GroupNormAttributes& values) : attributes(values) {}
  const GroupNormAttributes attributes;

  std::string_view name() const override { return "groupnorm"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  int in_place_input(int output) const override { return output == 0 ? 0 : -1; }
};

/// Inputs: dy, x, gamma, mean, rstd, optional addend (as x; + dx). Outputs: dx (as x), dgamma [C], dbeta [C].
class GroupNormBwd : public Op {
 public:
  explicit GroupNormBwd(const GroupNormAttributes& values) : attributes(values) {}
  const GroupNormAttributes attributes;

  std::string_view name() const override { return "groupnorm_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  int in_place_input(int output) const override { return output == 0 ? 0 : -1; }
  int addend_input() const override { return 5; }
};

}  // namespace bramble::graph
