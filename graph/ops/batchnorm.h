// BatchNorm over all dimensions but the last, with the activation and the residual that its pass can carry.
#pragma once

#include "graph/activation.h"
#include "graph/op.h"

namespace bramble::graph {

struct BatchNormAttributes {
  float eps = 1e-5F;
  float momentum = 0.1F;  ///< PyTorch's: the new value's share in the running statistics
  bool training = true;   ///< false: the running statistics are used and left alone
  Activation activation = Activation::none;  ///< none, relu, relu6
};

/// y = f((x - mean) * rstd * gamma + beta + residual), statistics over all dimensions but the last.
/// Inputs: x [.., C], gamma, beta, running_mean, running_var [C], optional residual [.., C].
/// Outputs: y, mean [C], rstd [C].
class BatchNorm : public Op {
 public:
  enum Input { kX, kGamma, kBeta, kRunningMean, kRunningVar, kResidual };
  enum Output { kY, kMean, kRstd };

  explicit BatchNorm(BatchNormAttributes attributes) : attributes_(attributes) {}
  const BatchNormAttributes& attributes() const { return attributes_; }

  std::string_view name() const override { return "batchnorm"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  int in_place_input(int output) const override { return output == kY ? kX : -1; }
  OpPtr with_activation(Activation kind) const override;
  int addend_input() const override { return attributes_.activation == Activation::none ? kResidual : -1; }
  std::vector<int> mutated_inputs() const override;

 private:
  BatchNormAttributes attributes_;
};

struct BatchNormBwdAttributes {
  bool training = true;  ///< false: mean and rstd are constants
  Activation activation = Activation::none;
};

/// Inputs: dy, x, gamma, beta, mean, rstd, y (only where the forward had a residual: the activation's mask then comes
/// from it, else from x). Outputs: dx, dgamma, dbeta, dresidual (only with y).
class BatchNormBwd : public Op {
 public:
  enum Input { kDy, kX, kGamma, kBeta, kMean, kRstd, kY };
  enum Output { kDx, kDgamma, kDbeta, kDresidual };

  explicit BatchNormBwd(BatchNormBwdAttributes attributes) : attributes_(attributes) {}
  const BatchNormBwdAttributes& attributes() const { return attributes_; }

  std::string_view name() const override { return "batchnorm_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  int in_place_input(int output) const override;

 private:
  BatchNormBwdAttributes attributes_;
};

}  // namespace bramble::graph
