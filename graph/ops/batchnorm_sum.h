// The sum of several BatchNorms, as networks have it that train several branches to run one (RepVGG, MobileOne, FastViT):
//   z = residual + layer_scale * sum over branches k of +-BN_k(w_k * x_k),  y = f(z)
// One pass over all x and y, forward; two over dy and all x, backward.
#pragma once

#include <vector>

#include "graph/activation.h"
#include "graph/backward_context.h"

namespace bramble::graph {

struct BatchNormSumAttributes {
  struct Branch {
    int leader = 0;         ///< the first branch that has the same x; itself, if none before it has
    bool negative = false;  ///< subtracted
  };
  std::vector<Branch> branches;  ///< of at most four different x
  float eps = 1e-5F;
  float momentum = 0.1F;
  bool training = true;
  Activation activation = Activation::none;  ///< none with a residual

  std::size_t terms() const;  ///< different x
};

/// Inputs: optional residual (as x), optional layer scale [C], then for each branch x [..., C], gamma, beta, running_mean,
/// running_var [C], optional w [C, 1, 1, 1] (a depthwise 1x1 convolution; training alone), optional sums of x
/// (channel_sums.h; a leader's).
/// Outputs: y; the sum of the betas [C]; for each branch mean, rstd [C], and a leader's scale [C]: what all branches of its
/// x multiply that by.
class BatchNormSum : public Op {
 public:
  enum Input { kResidual, kLayerScale, kBranches };
  enum BranchInput { kX, kGamma, kBeta, kRunningMean, kRunningVar, kW, kSums, kBranchInputs };
  enum Output { kY, kBetaSum, kBranchOutputs };
  enum BranchOutput { kMean, kRstd, kScale, kOutputsOfBranch };
  static int input(int branch, BranchInput which) { return kBranches + branch * kBranchInputs + which; }
  static int output(int branch, BranchOutput which) { return kBranchOutputs + branch * kOutputsOfBranch + which; }

  explicit BatchNormSum(BatchNormSumAttributes values) : attributes(std::move(values)) {}
  const BatchNormSumAttributes attributes;

  std::string_view name() const override { return "batchnorm_sum"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  std::vector<int> mutated_inputs() const override;
  int in_place_input(int output) const override { return output == kY ? input(0, kX) : -1; }
  std::shared_ptr<const Op> with_activation(Activation kind, bool has_addend) const override;
  int addend_input() const override { return attributes.activation == Activation::none ? kResidual : -1; }
};

/// Inputs: dy, optional layer scale, the sum of the betas, then for each branch x, gamma, beta, optional w, mean, rstd,
/// and a leader's scale.
/// Outputs: the layer scale's gradient; for each branch dx (a leader's: of all branches of its x; and of the residual, if
/// that is the same), dgamma, dbeta, dw.
class BatchNormSumBwd : public Op {
 public:
  enum Input { kDy, kLayerScale, kBetaSum, kBranches };
  enum BranchInput { kX, kGamma, kBeta, kW, kMean, kRstd, kScale, kBranchInputs };
  enum Output { kDlayerScale, kBranchOutputs };
  enum BranchOutput { kDx, kDgamma, kDbeta, kDw, kOutputsOfBranch };
  static int input(int branch, BranchInput which) { return kBranches + branch * kBranchInputs + which; }
  static int output(int branch, BranchOutput which) { return kBranchOutputs + branch * kOutputsOfBranch + which; }

  /// `residual_leader`: the leader whose x is the residual too; -1 if none.
  BatchNormSumBwd(BatchNormSumAttributes values, int residual_leader)
      : attributes(std::move(values)), leader_of_residual(residual_leader) {}
  const BatchNormSumAttributes attributes;
  const int leader_of_residual;

  std::string_view name() const override { return "batchnorm_sum_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  int in_place_input(int output) const override;
};

}  // namespace bramble::graph
