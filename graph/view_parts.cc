#include "graph/view_parts.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "graph/ops/concat.h"

namespace bramble::graph {
namespace {

/// Which tensors may be parts of wider ones, for all that their readers care. What the caller reads may not.
std::vector<bool> taken_as_parts(const Graph& graph) {
  std::vector<bool> taken(graph.tensors().size(), true);
  for (const Node& node : graph.nodes())
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      if (node.inputs[i] != kNoTensor && !node.op->takes_part(static_cast<int>(i)))
        taken[static_cast<std::size_t>(node.inputs[i])] = false;
  for (const TensorId id : graph.kept()) taken[static_cast<std::size_t>(id)] = false;
  return taken;
}

}  // namespace

void view_parts(Graph& graph) {
  const std::vector<bool> taken = taken_as_parts(graph);
  for (Node& node : graph.mutable_nodes()) {
    const auto* split = dynamic_cast<const Split*>(node.op.get());
    if (!split) continue;
    const TensorSpec whole = graph.tensor(node.inputs[0]).spec;
    if (whole.layout != Layout::dense) continue;
    std::vector<bool> views;
    for (const TensorId id : node.outputs) {
      views.push_back(taken[static_cast<std::size_t>(id)]);
      if (!views.back()) continue;
      TensorSpec& part = graph.mutable_tensor(id).spec;
      part.layout = Layout::part;
      part.row_pitch = whole.shape.back();
    }
    node.op = std::make_shared<Split>(split->sizes, std::move(views));
  }
}

}  // namespace bramble::graph
