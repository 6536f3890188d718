// Squeeze-excite (Hu et al., 2018), as one op: what lies between two passes over x is a thousandth of it.
//   mean[n][c] over the pixels of x;  h = f(W1 mean + b1);  gate = g(W2 h + b2);
//   y[n][h][w][c] = x[n][h][w][c] * gate[n][c]
#pragma once

#include <optional>

#include "graph/activation.h"
#include "graph/backward_context.h"

namespace bramble::graph {

struct SqueezeExciteAttributes {
  int reduced = 1;                            ///< R, the features of h
  Activation activation = Activation::relu;   ///< f
  Activation gate = Activation::sigmoid;      ///< g, one whose derivative reads its output
  std::optional<Activation> normalisation{};  ///< x is read through a BatchNorm with this activation
};

/// Inputs: x [N, H, W, C], W1 [R, C, 1, 1], b1 [R], W2 [C, R, 1, 1], b2 [C], where x is normalised mean, scale, beta
/// [C].
/// Outputs: y (as x), mean [N, C], h [N, R], the same before f [N, R] (read by the derivative of some), gate [N, C].
class SqueezeExcite : public Op {
 public:
  enum Input { kX, kReduceWeight, kReduceBias, kExpandWeight, kExpandBias, kMeanVector };
  enum Output { kY, kMean, kHidden, kBeforeActivation, kGate };

  explicit SqueezeExcite(const SqueezeExciteAttributes& values) : attributes(values) {}
  const SqueezeExciteAttributes attributes;

  std::string_view name() const override { return "squeeze_excite"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  OpPtr with_normalised_input(int x, Activation kind) const override;
  std::vector<NormalisedInput> normalised_inputs() const override { return {{0, 5}}; }
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;
};

/// Inputs: dy, x, W1, W2, mean, h, h's saved form (itself, or before f), gate, where x is normalised mean, scale, beta
/// [C].
/// Outputs: dx (of x' where normalised), dW1, db1, dW2, db2, and where normalised dx's channel sums.
class SqueezeExciteBwd : public Op {
 public:
  explicit SqueezeExciteBwd(const SqueezeExciteAttributes& values) : attributes(values) {}
  const SqueezeExciteAttributes attributes;

  std::string_view name() const override { return "squeeze_excite_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  int in_place_input(int output) const override { return output == 0 ? 0 : -1; }
  OpPtr with_normalised_input(int x, Activation kind) const override;
  std::vector<NormalisedInput> normalised_inputs() const override { return {{1, 8}}; }
  int channel_sums_output() const override { return attributes.normalisation ? 5 : -1; }
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;
};

}  // namespace bramble::graph
