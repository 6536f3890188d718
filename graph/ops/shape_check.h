// What the shape rules have in common.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "graph/op.h"

namespace bramble::graph {

/// Throws ShapeError unless `condition` holds.
inline void require(bool condition, const std::string& message) {
  if (!condition) throw ShapeError(message);
}

/// Whether optional input `i` is there.
inline bool present(std::span<const TensorSpec> inputs, std::size_t i) {
  return i < inputs.size() && !inputs[i].shape.empty();
}

/// Between `least` and `most` inputs, of which the first `least` are not absent.
inline void require_inputs(std::span<const TensorSpec> inputs, std::size_t least, std::size_t most) {
  bool complete = inputs.size() >= least && inputs.size() <= most;
  for (std::size_t i = 0; complete && i < least; ++i) complete = present(inputs, i);
  require(complete, "takes " + std::to_string(least) + (most > least ? " to " + std::to_string(most) : "") +
                        " inputs, got " + std::to_string(inputs.size()));
}

inline void require_shape(const TensorSpec& spec, const Shape& shape, std::string_view what) {
  require(spec.shape == shape,
          std::string(what) + " is " + to_string(spec.shape) + ", but has to be " + to_string(shape));
}

inline void require_rank(const TensorSpec& spec, std::size_t rank, std::string_view form) {
  require(spec.shape.size() == rank, "x is " + to_string(spec.shape) + ", but has to be " + std::string(form));
}

}  // namespace bramble::graph
