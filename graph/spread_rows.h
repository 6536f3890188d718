// Tensors between linear layers, laid so that they need not be packed.
#pragma once

#include "graph/graph.h"

namespace bramble::graph {

/// A weight's gradient reads two matrices column by column, some columns of all rows again and again. Where rows are a
/// large power of two apart (or a small multiple of it) these fall on each other in the caches, and have to be packed.
/// This pass gives Layout::spread_rows to tensors with such rows that only linear layers read, and only they or a
/// layernorm write: a hidden layer's values, its pre-activation and its gradient; what is normalised for a linear
/// layer. After all fusions, of which none may see the layout.
void spread_rows(Graph& graph);

}  // namespace bramble::graph
