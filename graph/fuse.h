// Passes that save crossings of the memory bus: several nodes become one whose kernel does all of it in one pass.
#pragma once

#include "graph/graph.h"

namespace bramble::graph {

/// On a forward graph, before it is differentiated (a fused node has a differentiation rule of its own, so the backward
/// comes out fused as well):
///   conv2d, linear, batchnorm                           + activation -> the op with its activation
///   depthwise_conv2d, add                               + relu, relu6 -> likewise
///   linear, 1x1 conv2d (without activation or residual) + scale      -> linear with a layer scale
///   conv2d, linear, batchnorm (without activation), transpose + add  -> the op with a residual
///   add (of what has no epilogue to take it)            + layernorm  -> layernorm with a residual
/// Only where the value in between has no other reader.
void fuse_forward(Graph& graph);

/// After differentiation: a gelu's gradient disappears into the linear_bwd_data whose dx it alone reads.
void fuse_gelu_gradients(Graph& graph);

/// After differentiation: an `add` that sums two contributions to a gradient disappears into the later one's node
/// where that takes an addend (conv2d_bwd_data, linear_bwd_data, layernorm_bwd, …).
void fuse_gradient_sums(Graph& graph);

}  // namespace bramble::graph
