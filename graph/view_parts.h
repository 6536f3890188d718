// Splits without copies.
#pragma once

#include "graph/graph.h"

namespace bramble::graph {

/// A part that a Split makes lies in the whole already, its rows as far apart as the whole's. This pass makes it a view
/// (Layout::part) where all who read it take rows so (Op::takes_part). A Split all of whose parts are views does no
/// work. After all fusions, of which none may see the layout.
void view_parts(Graph& graph);

}  // namespace bramble::graph
