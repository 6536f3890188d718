#include "graph/fuse_gate.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "graph/ops/squeeze_excite.h"

namespace bramble::graph {
namespace {

/// A node as it is when it makes its input y itself; op is null if it cannot.
struct Gating {
  OpPtr op;
  NormalisedInput places;
};

Gating gating(const Node& node, TensorId y, Activation kind) {
  if (std::ranges::count(node.inputs, y) != 1) return {};
  for (const NormalisedInput& input : node.op->normalised_inputs())
    if (input.gate >= 0 && node.inputs[static_cast<std::size_t>(input.x)] == y)
      return {node.op->with_gated_input(input.x, kind), input};
  return {};
}

void leave_to_readers(Graph& graph, const Node& excite) {
  using Excite = SqueezeExcite;
  const TensorId y = excite.outputs[Excite::kY];
  const auto& normalisation = static_cast<const Excite&>(*excite.op).attributes.normalisation;
  if (!normalisation || std::ranges::count(graph.kept(), y) > 0) return;
  std::vector<Node*> readers;
  for (Node& node : graph.mutable_nodes())
    if (std::ranges::count(node.inputs, y) > 0) readers.push_back(&node);
  std::vector<Gating> changed;
  for (const Node* node : readers) changed.push_back(gating(*node, y, *normalisation));
  if (std::ranges::any_of(changed, [](const Gating& one) { return one.op == nullptr; })) return;
  for (std::size_t r = 0; r < readers.size(); ++r) {
    Node& node = *readers[r];
    auto& [op, places] = changed[r];
    const auto set = [&node](int place, TensorId id) { node.set_input(static_cast<std::size_t>(place), id); };
    set(places.x, excite.inputs[Excite::kX]);
    for (int i = 0; i < 3; ++i) set(places.mean + i, excite.inputs[static_cast<std::size_t>(Excite::kMeanVector + i)]);
    set(places.gate, excite.outputs[Excite::kGate]);
    node.op = std::move(op);
  }
}

}  // namespace

void fuse_gate(Graph& graph) {
  for (const Node& node : graph.nodes())
    if (dynamic_cast<const SqueezeExcite*>(node.op.get())) leave_to_readers(graph, node);
}

}  // namespace bramble::graph
