// The last of the passes over a training step.
#pragma once

#include "graph/graph.h"

namespace bramble::graph {

/// A product that makes a weight's gradient takes over the update that alone reads it (ops/with_update.h), where that
/// waits for nothing else: not for a clipping factor, not for a sum over batches. Saves the gradient's memory and its
/// two crossings of the bus.
void fuse_updates(Graph& graph);

}  // namespace bramble::graph
