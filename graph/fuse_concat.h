// Concatenations that are never written.
#pragma once

#include "graph/graph.h"

namespace bramble::graph {

/// What only gates read, forward and backward, need not be joined in memory: they take the parts, each through its
/// BatchNorm where the concatenation does. After fuse_batchnorm.
void fuse_concat(Graph& graph);

}  // namespace bramble::graph
