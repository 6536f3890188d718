// A linear layer over the last dimension, with what its epilogue can carry:
//   z = (x weight^T + bias) * scale + residual,  y = f(z)
#pragma once

#include "graph/activation.h"
#include "graph/backward_context.h"

namespace bramble::graph {

struct LinearAttributes {
  int out_features = 0;
  Activation activation = Activation::none;
};

/// Inputs: x [..., in], weight [out, in] or [out, in, 1, 1], optional bias [out], optional residual [..., out],
/// optional scale [out] (a layer scale; linear_scale.h has its gradient). Outputs: y [..., out]; z, the same before the
/// activation (read by the derivative of some, activation.h).
class Linear : public Op {
 public:
  explicit Linear(const LinearAttributes& values) : attributes(values) {}
  const LinearAttributes attributes;

  std::string_view name() const override { return "linear"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  std::shared_ptr<const Op> with_activation(Activation kind, bool has_addend) const override;
  int addend_input() const override { return attributes.activation == Activation::none ? 3 : -1; }
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;
};

/// Inputs: dy [..., out], weight, optional addend [..., in], optional z [..., in], optional scale [out]. Output: dx =
/// (dy * scale) weight + addend, times gelu'(z) if given: the gradient of the gelu that made x of z.
class LinearBwdData : public Op {
 public:
  explicit LinearBwdData(bool times_gelu_gradient = false) : times_gelu_gradient_(times_gelu_gradient) {}

  std::string_view name() const override { return "linear_bwd_data"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  int addend_input() const override { return times_gelu_gradient_ ? -1 : 2; }
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;

 private:
  bool times_gelu_gradient_;
};

/// Inputs: x [..., in], dy [..., out]. Outputs: dw (as the weight), db [out].
class LinearBwdWeight : public Op {
 public:
  explicit LinearBwdWeight(TensorSpec of_weight) : weight(std::move(of_weight)) {}
  const TensorSpec weight;

  std::string_view name() const override { return "linear_bwd_weight"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  int weight_gradient_output() const override { return 0; }
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;
};

}  // namespace bramble::graph
