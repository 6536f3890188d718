// Pooling over NHWC.
#pragma once

#include <optional>

#include "graph/activation.h"
#include "graph/backward_context.h"

namespace bramble::graph {

struct Pool2dAttributes {
  int kernel = 2;
  int stride = 2;
  int padding = 0;
  bool count_include_pad = true;  ///< average pooling alone: zeros of the padding count, as PyTorch has it
};

/// Inputs: x [N, H, W, C], where x is normalised (x' = f((x - mean) * scale + beta)) mean, scale, beta [C].
/// Outputs: y [N, OH, OW, C]; argmax (u8, as y): the tap kh * kernel + kw that was largest, the first of equals;
/// padding never is.
class MaxPool2d : public Op {
 public:
  explicit MaxPool2d(const Pool2dAttributes& attributes, std::optional<Activation> x_kind = {})
      : attributes(attributes), normalisation(x_kind) {}
  const Pool2dAttributes attributes;
  const std::optional<Activation> normalisation;  ///< x is read through a BatchNorm with this activation

  std::string_view name() const override { return "max_pool2d"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  OpPtr with_normalised_input(int x, Activation kind) const override;
  std::vector<NormalisedInput> normalised_inputs() const override { return {{0, 1}}; }
};

/// Inputs: dy, argmax. Output: dx.
class MaxPool2dBwd : public Op {
 public:
  MaxPool2dBwd(const Pool2dAttributes& attributes, Shape input_shape)
      : attributes(attributes), input_shape(std::move(input_shape)) {}
  const Pool2dAttributes attributes;
  const Shape input_shape;

  std::string_view name() const override { return "max_pool2d_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
};

/// Input: x [N, H, W, C]. Output: y [N, OH, OW, C].
class AvgPool2d : public Op {
 public:
  explicit AvgPool2d(const Pool2dAttributes& attributes) : attributes(attributes) {}
  const Pool2dAttributes attributes;

  std::string_view name() const override { return "avg_pool2d"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
};

/// Input: dy. Output: dx.
class AvgPool2dBwd : public Op {
 public:
  AvgPool2dBwd(const Pool2dAttributes& attributes, Shape input_shape)
      : attributes(attributes), input_shape(std::move(input_shape)) {}
  const Pool2dAttributes attributes;
  const Shape input_shape;

  std::string_view name() const override { return "avg_pool2d_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
};

/// Input: x [N, H, W, C]. Output: y [N, C], the mean over H and W.
class GlobalAvgPool : public Op {
 public:
  std::string_view name() const override { return "global_avg_pool"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
};

/// Input: dy [N, C]. Output: dx [N, H, W, C].
class GlobalAvgPoolBwd : public Op {
 public:
  explicit GlobalAvgPoolBwd(Shape input_shape) : input_shape(std::move(input_shape)) {}
  const Shape input_shape;

  std::string_view name() const override { return "global_avg_pool_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
};

}  // namespace bramble::graph
