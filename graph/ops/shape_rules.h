// What several shape rules ask of their inputs. All throw ShapeError.
#pragma once

#include <span>
#include <string>

#include "graph/op.h"

namespace bramble::graph {

/// Throws ShapeError unless `condition` holds.
inline void require(bool condition, const std::string& message) {
  if (!condition) throw ShapeError(message);
}

/// Whether optional input `i` is there.
inline bool has_input(std::span<const TensorSpec> inputs, std::size_t i) {
  return i < inputs.size() && !inputs[i].shape.empty();
}

/// Between `least` and `most` inputs, the first `least` of them present.
void expect_inputs(std::span<const TensorSpec> inputs, std::size_t least, std::size_t most);

/// "the input must be [N, H, W, C], not [2, 3]"
void expect_rank(const TensorSpec& spec, std::size_t rank, const std::string& what, const std::string& form);

/// "the bias must be [64], not [32]"
void expect_shape(const TensorSpec& spec, const Shape& shape, const std::string& what);

/// How many windows of `kernel` fit, at least 1: floor((extent + 2 padding + extra - dilation (kernel - 1) - 1) / stride)
/// + 1, `extra` being more padding at the end.
std::int64_t window_count(std::int64_t extent, int kernel, int stride, int padding, int dilation,
                          int extra = 0);

}  // namespace bramble::graph
