#include "graph/freeze.h"

#include <algorithm>

namespace bramble::graph {

void freeze(Graph& graph, const std::vector<TensorId>& trainable) {
  std::vector<bool> depends(graph.tensors().size(), false);
  for (const TensorId id : trainable) depends[static_cast<std::size_t>(id)] = true;
  for (Node& node : graph.mutable_nodes()) {
    const bool trained = std::ranges::any_of(
        node.inputs, [&](TensorId id) { return id != kNoTensor && depends[static_cast<std::size_t>(id)]; });
    if (trained) {
      for (const TensorId id : node.outputs) depends[static_cast<std::size_t>(id)] = true;
    } else if (OpPtr frozen = node.op->frozen()) {
      node.op = std::move(frozen);
    }
  }
}

}  // namespace bramble::graph
