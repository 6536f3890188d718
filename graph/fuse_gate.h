// Squeeze-excites whose output is never written.
#pragma once

#include "graph/graph.h"

namespace bramble::graph {

/// A squeeze-excite that reads its input through a BatchNorm leaves its output to its readers where all of them can do
/// what makes it on the way in: normalise, activate, and multiply by the gate. It is then neither written nor kept for
/// the backward, and its input is read once less. After fuse_batchnorm.
void fuse_gate(Graph& graph);

}  // namespace bramble::graph
