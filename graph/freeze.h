// Tells what no gradient passes.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace bramble::graph {

/// On a forward graph: nodes whose outputs depend on none of `trainable` (parameters) become Op::frozen(), where that
/// is another op.
void freeze(Graph& graph, const std::vector<TensorId>& trainable);

}  // namespace bramble::graph
