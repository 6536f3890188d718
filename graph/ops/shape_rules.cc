#include "graph/ops/shape_rules.h"

namespace bramble::graph {

void expect_inputs(std::span<const TensorSpec> inputs, std::size_t least, std::size_t most) {
  if (inputs.size() < least || inputs.size() > most)
    throw ShapeError("takes " + std::to_string(least) + " to " + std::to_string(most) + " inputs, not " +
                     std::to_string(inputs.size()));
  for (std::size_t i = 0; i < least; ++i)
    if (inputs[i].shape.empty()) throw ShapeError("input " + std::to_string(i) + " is missing");
}

void expect_rank(const TensorSpec& spec, std::size_t rank, const std::string& what, const std::string& form) {
  if (spec.shape.size() != rank) throw ShapeError(what + " must be " + form + ", not " + to_string(spec.shape));
}

void expect_shape(const TensorSpec& spec, const Shape& shape, const std::string& what) {
  if (spec.shape != shape) throw ShapeError(what + " must be " + to_string(shape) + ", not " + to_string(spec.shape));
}

std::int64_t window_count(std::int64_t extent, int kernel, int stride, int padding, int dilation,
                          int extra) {
  if (kernel < 1 || stride < 1 || padding < 0 || dilation < 1)
    throw ShapeError("kernel, stride and dilation must be at least 1 and padding at least 0");
  const std::int64_t reach = std::int64_t{dilation} * (kernel - 1) + 1;
  const std::int64_t padded = extent + 2 * padding + extra;
  if (padded < reach)
    throw ShapeError("an extent of " + std::to_string(extent) + " with padding " + std::to_string(padding) +
                     " is smaller than the kernel's reach of " + std::to_string(reach) + "; use larger images");
  return (padded - reach) / stride + 1;
}

}  // namespace bramble::graph
