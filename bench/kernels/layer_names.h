// How a layer is called: by its op, its shape and its pass.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "kernels/conv2d/conv2d.h"

namespace bramble::bench {

/// conv2d/56x56_64_256_1x1/fwd: a square input's height and width, channels in and (if others) out, the window;
/// _s2 for a stride, _p0 for a padding that is not half the window, _g4 for groups, then the epilogue: _relu, _add.
/// linear/3152_192_768_gelu/fwd: rows, features in and out. attention/16x197x576_h3/fwd: qkv's extents, images or
/// windows first, and the heads. Others: the first input's extents without the batch. What a node does of a BatchNorm
/// beside it follows: _normalised (on the way in), _gated (and times a squeeze-excite's gate), _sums (on the way out);
/// _summed is a BatchNorm that is given its sums, _left one that leaves its output to its readers. `read`: the tensors that some node reads.
std::string layer_name(const graph::Graph& graph, const graph::Node& node, const std::vector<bool>& read);

/// The same without what the node does beside its op: the name of the operator alone.
std::string plain_name(const graph::Graph& graph, const graph::Node& node);

/// Of a forward convolution or linear layer, which is one with rows for pixels.
std::optional<kernels::Conv2dShape> forward_shape(const graph::Graph& graph, const graph::Node& node);

}  // namespace bramble::bench
