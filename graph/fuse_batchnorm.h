// What a BatchNorm reads and writes is tens of megabytes a layer, so its passes go where the data is in the cache
// anyway.
#pragma once

#include "graph/graph.h"

namespace bramble::graph {

/// On a whole graph, after differentiation and once what is kept is known:
///   - a BatchNorm's sums, forward and backward, are taken by the node that writes what they sum (channel_sums.h). Where
///     a residual joins before the activation, that node masks the gradient as well: it is the residual's as it stands;
///   - a BatchNorm without a residual whose readers can all do so leaves its output to them: they read its input and
///     normalise on the way in. Its output is then never computed, nor kept for the backward;
///   - likewise its dx, where the convolution before it can make that of dy and x on the way in;
///   - a dy that a max pooling gives back is made in passing, a few rows at a time, by the backward that reads it.
/// With all of it, the activations between two convolutions cross the memory bus 6 to 8 times in a step instead of 14.
void fuse_batchnorm(Graph& graph);

}  // namespace bramble::graph
