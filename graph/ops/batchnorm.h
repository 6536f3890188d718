// BatchNorm over all but the last dimension, with what its pass can carry:
//   z = gamma * xhat + beta + residual,  y = f(z)
#pragma once

#include <optional>

#include "graph/activation.h"
#include "graph/backward_context.h"
#include "graph/ops/pool.h"

namespace bramble::graph {

struct BatchNormAttributes {
  float eps = 1e-5F;
  float momentum = 0.1F;  ///< PyTorch's: the share of the new statistics
  bool training = true;   ///< batch statistics, and the running ones are updated; false: the running ones are used
  Activation activation = Activation::none;  ///< with a residual none whose derivative_reads_input
};

/// Inputs: x [..., C], gamma [C], beta [C], running_mean [C], running_var [C] (the last two updated when training),
/// optional residual (as x), optional sums of x (channel_sums.h; else it takes them itself), where the residual comes
/// through a BatchNorm of its own that one's mean, scale, beta [C].
/// Outputs: y (as x); mean [C], rstd [C] and scale = gamma * rstd [C], those that y was normalised with.
class BatchNorm : public Op {
 public:
  explicit BatchNorm(const BatchNormAttributes& attributes, bool residual = false)
      : attributes(attributes), normalises_residual(residual) {}
  const BatchNormAttributes attributes;
  const bool normalises_residual;

  std::string_view name() const override { return "batchnorm"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  std::vector<int> mutated_inputs() const override;
  int in_place_input(int output) const override { return output == 0 ? 0 : -1; }
  std::shared_ptr<const Op> with_activation(Activation kind, bool has_addend) const override;
  int addend_input() const override { return attributes.activation == Activation::none ? 5 : -1; }
  OpPtr with_normalised_input(int x, Activation kind) const override;
  std::vector<NormalisedInput> normalised_inputs() const override { return {{5, 7}}; }
};

/// Inputs: dy, x, scale, beta, mean, rstd, optional y where a residual went into the activation (else the sign is
/// recomputed from x), optional sums of dy and x (channel_sums.h; else it takes them itself), and where dy is what a
/// max pooling gives back, not made but in passing, that one's argmax; input 0 is then the pooling's dy.
/// Outputs: dx, dgamma, dbeta, dresidual (= dy masked by the activation), and coefficients [5, C] for a reader that makes
/// dx on the way in: mean, scale, beta (as they are now), slope, constant;
///   dx = scale * g + slope * (x - mean) + constant,  g = dy masked by the activation.
class BatchNormBwd : public Op {
 public:
  explicit BatchNormBwd(const BatchNormAttributes& attributes, std::optional<Pool2dAttributes> max_pool = {})
      : attributes(attributes), pool(max_pool) {}
  const BatchNormAttributes attributes;
  const std::optional<Pool2dAttributes> pool;

  std::string_view name() const override { return "batchnorm_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  /// dx in x's place and dresidual in dy's, so that both may be taken.
  int in_place_input(int output) const override { return output == 0 ? 1 : output == 3 ? 0 : -1; }
  bool takes_part(int input) const override { return input == 0; }
};

}  // namespace bramble::graph
