// Layers of models that the registry does not have yet: once it does, their graphs take over.
#pragma once

#include <string_view>

#include "graph/graph.h"

namespace bramble::bench {

/// A graph with the distinct layers of faster_vit_1 side by side, and their backward. Throws std::logic_error for
/// another name.
graph::Graph layer_table(std::string_view model, std::int64_t batch);

}  // namespace bramble::bench
