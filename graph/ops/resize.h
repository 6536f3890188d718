// Images of another size, as PyTorch's interpolate makes them.
#pragma once

#include "graph/backward_context.h"

namespace bramble::graph {

/// bilinear_corners is PyTorch's align_corners = True: the corners keep their values. adaptive_average is its
/// adaptive_avg_pool2d, to images that are not smaller.
enum class ResizeMode : std::uint8_t { nearest, bilinear, bilinear_corners, adaptive_average };

/// Input: x [N, H, W, C]. Output: [N, height, width, C].
class Resize : public Op {
 public:
  Resize(ResizeMode how, std::int64_t out_height, std::int64_t out_width)
      : mode(how), height(out_height), width(out_width) {}
  const ResizeMode mode;
  const std::int64_t height, width;

  std::string_view name() const override { return "resize"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
};

/// Input: dy. Output: dx.
class ResizeBwd : public Op {
 public:
  ResizeBwd(ResizeMode how, Shape of_x) : mode(how), input_shape(std::move(of_x)) {}
  const ResizeMode mode;
  const Shape input_shape;

  std::string_view name() const override { return "resize_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
};

}  // namespace bramble::graph
