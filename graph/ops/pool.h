// Pooling over NHWC images.
#pragma once

#include "graph/op.h"

namespace bramble::graph {

struct MaxPool2dAttributes {
  int kernel = 2;
  int stride = 2;
  int padding = 0;
};

/// Inputs: x [N, H, W, C]. Outputs: y [N, OH, OW, C]; argmax (u8), the row-major position of y within its window: the
/// first maximum; padding never wins.
class MaxPool2d : public Op {
 public:
  enum Output { kY, kArgmax };

  explicit MaxPool2d(MaxPool2dAttributes attributes) : attributes_(attributes) {}
  const MaxPool2dAttributes& attributes() const { return attributes_; }

  std::string_view name() const override { return "max_pool2d"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;

 private:
  MaxPool2dAttributes attributes_;
};

/// Inputs: dy, argmax. Outputs: dx [N, height, width, C].
class MaxPool2dBwd : public Op {
 public:
  MaxPool2dBwd(MaxPool2dAttributes attributes, std::int64_t height, std::int64_t width)
      : attributes_(attributes), height_(height), width_(width) {}
  const MaxPool2dAttributes& attributes() const { return attributes_; }

  std::string_view name() const override { return "max_pool2d_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;

 private:
  MaxPool2dAttributes attributes_;
  std::int64_t height_;
  std::int64_t width_;
};

struct AvgPool2dAttributes {
  int kernel = 2;
  int stride = 2;
  int padding = 0;
  bool count_include_pad = true;  ///< divide by kernel^2 at the borders too, rather than by the pixels that are there
};

/// Inputs: x [N, H, W, C]. Outputs: y [N, OH, OW, C].
class AvgPool2d : public Op {
 public:
  explicit AvgPool2d(AvgPool2dAttributes attributes) : attributes_(attributes) {}
  const AvgPool2dAttributes& attributes() const { return attributes_; }

  std::string_view name() const override { return "avg_pool2d"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;

 private:
  AvgPool2dAttributes attributes_;
};

/// Inputs: dy. Outputs: dx [N, height, width, C].
class AvgPool2dBwd : public Op {
 public:
  AvgPool2dBwd(AvgPool2dAttributes attributes, std::int64_t height, std::int64_t width)
      : attributes_(attributes), height_(height), width_(width) {}
  const AvgPool2dAttributes& attributes() const { return attributes_; }

  std::string_view name() const override { return "avg_pool2d_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;

 private:
  AvgPool2dAttributes attributes_;
  std::int64_t height_;
  std::int64_t width_;
};

/// The mean over all pixels. Inputs: x [N, H, W, C]. Outputs: y [N, C].
class GlobalAvgPool : public Op {
 public:
  std::string_view name() const override { return "global_avg_pool"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
};

/// Inputs: dy [N, C]. Outputs: dx [N, height, width, C].
class GlobalAvgPoolBwd : public Op {
 public:
  GlobalAvgPoolBwd(std::int64_t height, std::int64_t width) : height_(height), width_(width) {}

  std::string_view name() const override { return "global_avg_pool_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;

 private:
  std::int64_t height_;
  std::int64_t width_;
};

}  // namespace bramble::graph
