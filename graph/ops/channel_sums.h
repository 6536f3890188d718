// Sums over a tensor's rows, two a channel, which the node that writes the tensor takes while each block of it is in the
// cache: a BatchNorm then finishes them without reading the tensor again.
#pragma once

#include <algorithm>

#include "graph/tensor.h"

namespace bramble::graph {

/// [parts, 2, C] f64. Forward: a part's sums of x and of x^2. Backward: of g and of g * (x - mean), g being dy masked by
/// the activation. Rows (all extents but the last, multiplied) fall into at most 64 parts, few enough that the sums stay
/// small beside the tensor, none shorter than 64 rows; which rows a part takes is the writer's business, parts that it
/// does not need are zeros.
inline TensorSpec channel_sums(const Shape& tensor) {
  const std::int64_t channels = tensor.back();
  const std::int64_t rows = element_count(tensor) / std::max<std::int64_t>(channels, 1);
  return {{std::clamp<std::int64_t>(rows / 64, 1, 64), 2, channels}, DType::f64};
}

}  // namespace bramble::graph
